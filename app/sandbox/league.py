"""The demo league: three coaches, twelve teams, seventy-two competitors, and how each of them practises.

A bigger one has more of the same: the first seventy-two stay as they are, everybody after them has an account already.
"""

import csv
import functools
import io
import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.sandbox import names

ORGANIZATION = "Northern Lights Cyber League"
TIME_ZONE = "America/Chicago"
LEAGUE_SIZE = len(names.COMPETITORS)
TEAM_SIZE = 6
TEAMS_PER_COACH = 4
COLUMNS = (
    "first_name", "last_name", "email", "grade", "division", "team", "affiliation", "release_signed",
    "agreement_signed", "data_consent", "discord_id", "startgg_gamer_tag", "racetime_id", "school_id", "region_id",
    "game_platform_id", "team_game_platform_id",
)
# Who practises how; dealt out to everybody three times over.
HABITS = (
    "strong", "steady", "improving", "steady", "stuck", "new", "steady", "absent", "strong", "steady", "improving",
    "steady", "stuck", "steady", "faded", "improving", "steady", "strong", "steady", "new", "absent", "steady", "stuck",
    "improving",
)
WITHOUT_TEAM = (23, 47, 71)
WITHOUT_RELEASE = (10, 34, 58)
WITHOUT_AGREEMENT = (17, 34)
WITHOUT_CONSENT = (41, 58)
WITHOUT_EMAIL = (65,)
ON_THE_PLATFORM_BEFORE = (2, 38)
APPROVAL = {5: "user_created", 30: "pending_approval", 52: "denied"}
WITH_GAMER_TAG = range(3, 72, 9)
GRADES = {"middle_school": ("6", "7", "8"), "high_school": ("9", "10", "11", "12"), "college": ("13", "14")}


@dataclass(frozen=True)
class Player:
    """A competitor of the league. `approval` is what the platform answers when the account is made."""

    number: int
    first_name: str
    last_name: str
    email: str
    habit: str
    team: int
    approval: str = "approved"

    @property
    def platform_id(self) -> str | None:
        """Their account from before the league, if they have one."""
        had_one = self.number in ON_THE_PLATFORM_BEFORE or self.number >= LEAGUE_SIZE
        return f"legacy-{self.number:04}" if had_one else None


def dice(*key: object) -> random.Random:
    """Chance that falls the same way each time for the same key."""
    return random.Random("/".join(map(str, key)))  # noqa: S311


@functools.cache
def players(seed: int, count: int = LEAGUE_SIZE) -> tuple[Player, ...]:
    people, habits = list(names.COMPETITORS), list(HABITS) * (LEAGUE_SIZE // len(HABITS))
    dice(seed, "people").shuffle(people)
    dice(seed, "habits").shuffle(habits)
    known = tuple(
        Player(number, first, last, f"{address}@example.org", habit, number // TEAM_SIZE,
               APPROVAL.get(number, "approved"))
        for number, ((first, last, address), habit) in enumerate(zip(people, habits, strict=True))
    )
    return known[:count] + tuple(_one_more(known, number) for number in range(LEAGUE_SIZE, count))


def _one_more(known: tuple[Player, ...], number: int) -> Player:
    """Somebody with one player's first name and habit and another's last name."""
    again, place = divmod(number, LEAGUE_SIZE)
    like, other = known[place], known[(place + again) % LEAGUE_SIZE]
    name, _, domain = like.email.partition("@")
    email = f"{name}.{number}@{domain}"
    return Player(number, like.first_name, other.last_name, email, like.habit, number // TEAM_SIZE)


@functools.cache
def players_by_email(seed: int, count: int = LEAGUE_SIZE) -> dict[str, Player]:
    return {player.email: player for player in players(seed, count)}


def describe(seed: int, count: int = LEAGUE_SIZE) -> dict[str, Any]:
    """The league as a district would hand it over: its coaches, and a roster file for each."""
    everybody = players(seed, count)
    per_coach = TEAM_SIZE * TEAMS_PER_COACH
    coaches = [_coach(number) for number in range(math.ceil(count / per_coach))]
    return {
        "organization": ORGANIZATION,
        "time_zone": TIME_ZONE,
        "coaches": coaches,
        "rosters": {
            coach["email"]: _roster(everybody[number * per_coach:][:per_coach])
            for number, coach in enumerate(coaches)
        },
    }


def _coach(number: int) -> dict[str, str]:
    again, place = divmod(number, len(names.COACHES))
    first, last, address = names.COACHES[place]
    return {
        "first_name": first, "last_name": _numbered(last, again),
        "email": f"{_numbered(address, again, '.')}@example.com",
    }


def _numbered(name: str, again: int, between: str = " ") -> str:
    return f"{name}{between}{again + 1}" if again else name


def _roster(crew: Iterable[Player]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(player) for player in crew)
    return file.getvalue()


def _row(player: Player) -> dict[str, str]:
    again, place = divmod(player.team, len(names.TEAMS))
    team, affiliation, division = names.TEAMS[place]
    number = player.number
    has_team = number not in WITHOUT_TEAM
    grades = GRADES[division]
    return {
        "first_name": player.first_name,
        "last_name": player.last_name,
        "email": "" if number in WITHOUT_EMAIL else player.email,
        "grade": grades[number % len(grades)],
        "division": division,
        "team": _numbered(team, again) if has_team else "",
        "affiliation": affiliation if has_team else "",
        "release_signed": _yes_or_no(number not in WITHOUT_RELEASE),
        "agreement_signed": _yes_or_no(number not in WITHOUT_AGREEMENT),
        "data_consent": _yes_or_no(number not in WITHOUT_CONSENT),
        "startgg_gamer_tag": player.email.partition(".")[0].title() if number in WITH_GAMER_TAG else "",
        "school_id": f"sch-{player.team + 1:02}",
        "region_id": f"reg-{player.team // TEAMS_PER_COACH + 1}",
        "game_platform_id": player.platform_id or "",
    }


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"
