"""A league of any size: the known seventy-two first, then more of the same who have accounts already."""

import csv
import io
import time
from pathlib import Path

import httpx

from app.sandbox import league
from app.sandbox.contract import PREFIX
from app.sandbox.journal import Journal
from app.sandbox.server import TOKEN, create_sandbox
from app.sandbox.world import World
from tests.sandbox.conftest import COACH, NOW, STUDENT

SIZE = 10_000


def test_a_bigger_league_begins_with_the_known_one() -> None:
    assert league.players(7, 500)[:72] == league.players(7)
    told, small = league.describe(7, 500), league.describe(7)
    assert list(told["rosters"].values())[:3] == list(small["rosters"].values())
    assert league.describe(7, 30)["rosters"].keys() == {coach["email"] for coach in small["coaches"][:2]}


def test_nobody_in_a_big_league_shares_an_address_a_team_or_a_coach_by_accident() -> None:
    told = league.describe(7, SIZE)
    rosters = [list(csv.DictReader(io.StringIO(file))) for file in told["rosters"].values()]
    rows = [row for roster in rosters for row in roster]
    assert len(rows) == SIZE and len(told["coaches"]) == len(rosters) == 417
    assert len({player.email for player in league.players(7, SIZE)}) == SIZE
    assert sum(len({row["team"] for row in roster if row["team"]}) for roster in rosters) == len(
        {row["team"] for row in rows if row["team"]}
    )
    accounts = [row["game_platform_id"] for row in rows if row["game_platform_id"]]
    assert len(set(accounts)) == len(accounts) == SIZE - 72 + 2


def test_ten_thousand_start_in_a_few_seconds_and_the_next_start_has_the_same_ones(tmp_path: Path) -> None:
    began = time.perf_counter()
    world = World(Journal(tmp_path / "state"), seed=7, has_league=True, now=NOW, competitors=SIZE)
    assert time.perf_counter() - began < 5
    again = World(Journal(tmp_path / "state"), seed=1, has_league=False, now=NOW)
    assert again.users.keys() == world.users.keys() and len(world.users) == SIZE - 70
    assert again.users["legacy-9999"].solves == world.users["legacy-9999"].solves != {}


async def test_accounts_are_made_as_fast_in_a_big_league_as_in_a_small_one() -> None:
    transport = httpx.ASGITransport(create_sandbox(competitors=SIZE, clock=lambda: NOW))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://sandbox{PREFIX}") as client:
        client.headers["authorization"] = f"Bearer {TOKEN}"
        await client.post("/users", json=COACH)
        began = time.perf_counter()
        for number in range(100):
            new = STUDENT | {"syned_user_id": f"new-{number}", "email": f"new{number}@example.com"}
            assert (await client.post("/users", json=new)).status_code == 201
        taken = await client.post("/users", json=STUDENT | {"email": "NEW1@example.com"})
        assert taken.status_code == 409
        assert time.perf_counter() - began < 2
