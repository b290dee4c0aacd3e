"""`python -m app.sandbox`: the sandbox alone, without the rest of the product's command line."""

import argparse
from pathlib import Path

from app.sandbox.league import LEAGUE_SIZE
from app.sandbox.server import serve

parser = argparse.ArgumentParser(prog="python -m app.sandbox", description=__doc__)
parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
parser.add_argument("--speed", type=float, default=0, help="0: nothing happens by itself")
parser.add_argument("--state-file", type=Path)
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--blank", action="store_true", help="a world without the demo league")
parser.add_argument("--competitors", type=int, default=LEAGUE_SIZE, help="how many the demo league has")
options = parser.parse_args()
serve(
    options.port, speed=options.speed, state_file=options.state_file, seed=options.seed,
    has_league=not options.blank, competitors=options.competitors,
)
