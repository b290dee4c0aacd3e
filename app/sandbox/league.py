"""The demo league: three coaches, twelve teams, seventy-two competitors, and how each of them practises."""

import csv
import functools
import io
import random
from dataclasses import dataclass
from typing import Any

from app.sandbox import names

ORGANIZATION = "Northern Lights Cyber League"
TIME_ZONE = "America/Chicago"
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
        return f"legacy-{self.number:04}" if self.number in ON_THE_PLATFORM_BEFORE else None


def dice(*key: object) -> random.Random:
    """Chance that falls the same way each time for the same key."""
    return random.Random("/".join(map(str, key)))  # noqa: S311


@functools.cache
def players(seed: int) -> tuple[Player, ...]:
    people, habits = list(names.COMPETITORS), list(HABITS) * (len(names.COMPETITORS) // len(HABITS))
    dice(seed, "people").shuffle(people)
    dice(seed, "habits").shuffle(habits)
    return tuple(
        Player(number, first, last, f"{address}@example.org", habit, number // TEAM_SIZE,
               APPROVAL.get(number, "approved"))
        for number, ((first, last, address), habit) in enumerate(zip(people, habits, strict=True))
    )


def player_at(seed: int, email: str) -> Player | None:
    return next((player for player in players(seed) if player.email == email.lower()), None)


def describe(seed: int) -> dict[str, Any]:
    """The league as a district would hand it over: its coaches, and a roster file for each."""
    return {
        "organization": ORGANIZATION,
        "time_zone": TIME_ZONE,
        "coaches": [
            {"first_name": first, "last_name": last, "email": f"{address}@example.com"}
            for first, last, address in names.COACHES
        ],
        "rosters": {
            f"{address}@example.com": _roster(seed, coach) for coach, (_, _, address) in enumerate(names.COACHES)
        },
    }


def _roster(seed: int, coach: int) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(player) for player in players(seed) if player.team // TEAMS_PER_COACH == coach)
    return file.getvalue()


def _row(player: Player) -> dict[str, str]:
    team, affiliation, division = names.TEAMS[player.team]
    number = player.number
    has_team = number not in WITHOUT_TEAM
    grades = GRADES[division]
    return {
        "first_name": player.first_name,
        "last_name": player.last_name,
        "email": "" if number in WITHOUT_EMAIL else player.email,
        "grade": grades[number % len(grades)],
        "division": division,
        "team": team if has_team else "",
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
