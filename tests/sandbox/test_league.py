"""The demo league: who is in it, what they did, and that it is the same each time."""

import csv
import io
import itertools
import unicodedata
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from app.sandbox import league, names
from app.sandbox.catalogue import LAUNCHED, challenge
from app.sandbox.journal import Journal
from app.sandbox.people import User
from app.sandbox.practice import DAYS_SINCE_LAST_FLASH_CTF, FLASH_CTF_DAYS
from app.sandbox.world import World
from tests.sandbox.conftest import NOW

DAY = 86_400


def full_world(seed: int = 7, now: float = NOW) -> World:
    """The league with everybody's account made."""
    world = World(Journal(None), seed=seed, has_league=True, now=now)
    for player in league.players(seed):
        if not player.platform_id:
            world.record(
                "user_created", now, syned_user_id=f"user-{player.number}", email=player.email, role="user",
                status="approved", approved_at=None,
            )
    return world


@pytest.fixture(scope="module")
def world() -> World:
    return full_world()


def everybody_like(world: World, habit: str) -> list[User]:
    return [user for user in world.users.values() if user.player and user.player.habit == habit]


def rows(seed: int = 7) -> list[dict[str, str]]:
    return [row for roster in league.describe(seed)["rosters"].values() for row in csv.DictReader(io.StringIO(roster))]


def last_solve(user: User) -> int:
    times = [solve["timestamp_unix"] for solve in user.solves.values()]
    times += [solve["timestamp_unix"] for solves in user.flash_ctfs.values() for solve in solves.values()]
    return max(times, default=0)


def test_the_league_has_three_coaches_twelve_teams_three_divisions_and_seventy_two_competitors() -> None:
    told = league.describe(7)
    assert set(told) == {"organization", "time_zone", "coaches", "rosters"}
    assert set(told["rosters"]) == {coach["email"] for coach in told["coaches"]}
    assert len(told["coaches"]) == 3
    assert len(rows()) == len({row["email"] for row in rows() if row["email"]}) + 1 == 72
    assert len({row["team"] for row in rows() if row["team"]}) == 12
    assert {row["division"] for row in rows()} == {"middle_school", "high_school", "college"}
    assert all(row["affiliation"] for row in rows() if row["team"])


def test_a_roster_has_the_columns_of_the_import_in_their_order() -> None:
    roster = next(iter(league.describe(7)["rosters"].values()))
    assert roster.splitlines()[0] == (
        "first_name,last_name,email,grade,division,team,affiliation,release_signed,agreement_signed,data_consent,"
        "discord_id,startgg_gamer_tag,racetime_id,school_id,region_id,game_platform_id,team_game_platform_id"
    )


def test_some_papers_are_missing_and_most_are_there() -> None:
    papers = ("release_signed", "agreement_signed", "data_consent")
    complete = [row for row in rows() if all(row[column] == "yes" for column in papers)]
    assert 60 <= len(complete) < 72
    for column in papers:
        assert any(row[column] == "no" for row in rows())


def test_names_are_of_many_scripts_and_addresses_are_plain() -> None:
    letters = {letter for first, last, _ in names.COMPETITORS for letter in first + last if letter.isalpha()}
    scripts = {unicodedata.name(letter).split()[0] for letter in letters}
    for script in ("LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "DEVANAGARI", "CJK", "HIRAGANA", "HANGUL", "THAI"):
        assert script in scripts
    assert set("ëÅłğŽĩā") <= letters
    assert all(row["email"].isascii() for row in rows())
    assert all(row["email"].endswith("@example.org") for row in rows() if row["email"])


def test_the_catalogue_spells_eleven_categories_in_more_than_one_way() -> None:
    labels = {challenge(number).label for number in range(1, LAUNCHED + 1)}
    assert {"crypto", "Cryptography", "Recon", "Reconnaissance", "Webex", "Web Exploitation"} <= labels
    assert {"reven", "binexp", "os", "misc"} <= labels
    assert len({challenge(number).topic for number in range(1, LAUNCHED + 1)}) == 11
    assert len({challenge(number).title for number in range(1, LAUNCHED + 1)}) == LAUNCHED >= 150
    assert any(challenge(number).is_retired for number in range(1, LAUNCHED + 1))


def test_after_the_catalogue_come_sequels_with_titles_of_their_own() -> None:
    assert challenge(LAUNCHED + 1).title == f"{challenge(1).title} 2"
    assert len({challenge(number).title for number in range(1, 3 * LAUNCHED)}) == 3 * LAUNCHED - 1


def test_the_same_seed_and_time_give_the_same_history(world: World) -> None:
    again = full_world()
    assert {name: user.solves for name, user in again.users.items()} == {
        name: user.solves for name, user in world.users.items()
    }
    assert {name: user.flash_ctfs for name, user in again.users.items()} == {
        name: user.flash_ctfs for name, user in world.users.items()
    }


def test_another_seed_gives_another_league() -> None:
    assert league.describe(8) != league.describe(7)


def test_six_monthly_contests_lie_behind_us_the_latest_a_few_days(world: World) -> None:
    starts = sorted(contest.start for contest in world.flash_ctfs.values())
    assert len(starts) == 6
    assert all(later - earlier in range(FLASH_CTF_DAYS * DAY - 7200, FLASH_CTF_DAYS * DAY + 7201)
               for earlier, later in itertools.pairwise(starts))
    assert 0 < NOW - starts[-1] < (DAYS_SINCE_LAST_FLASH_CTF + 1) * DAY


@pytest.mark.parametrize("now", [NOW, NOW + 100 * DAY, NOW + 200.4 * DAY])
def test_nothing_lies_in_the_future_on_any_date(now: float) -> None:
    world = full_world(now=now)
    assert all(last_solve(user) <= now and user.last_accessed <= now for user in world.users.values())
    assert sum(last_solve(user) > now - 7 * DAY for user in world.users.values()) >= 30


def test_people_differ_as_people_do(world: World) -> None:
    strong, steady = (
        [len(user.solves) for user in everybody_like(world, habit)] for habit in ("strong", "steady")
    )
    assert min(strong) > sum(steady) / len(steady)
    assert all(not user.solves and user.last_accessed == 0 for user in everybody_like(world, "absent"))
    assert all(0 < last_solve(user) < NOW - 60 * DAY for user in everybody_like(world, "faded"))
    for user in everybody_like(world, "stuck"):
        assert last_solve(user) < NOW - 3 * DAY < user.last_accessed + 14 * DAY
        assert user.last_accessed > last_solve(user)
    for user in everybody_like(world, "new"):
        assert min(solve["timestamp_unix"] for solve in user.solves.values()) > NOW - 15 * DAY
    for user in everybody_like(world, "improving"):
        middle = NOW - 84 * DAY
        early = sum(solve["timestamp_unix"] < middle for solve in user.solves.values())
        assert early < len(user.solves) / 2


def test_practice_happens_at_hours_when_people_practise(world: World) -> None:
    zone = ZoneInfo(league.TIME_ZONE)
    hours = Counter(
        datetime.fromtimestamp(solve["timestamp_unix"], zone).hour
        for user in world.users.values() for solve in user.solves.values()
    )
    assert sum(count for hour, count in hours.items() if 2 <= hour < 10) == 0


def test_solve_ids_repeat_across_contests_and_some_solves_share_a_second(world: World) -> None:
    repeated = shared = 0
    for user in world.users.values():
        ids = Counter(solve_id for solves in user.flash_ctfs.values() for solve_id in solves)
        repeated += any(count > 1 for count in ids.values())
        shared += len({solve["timestamp_unix"] for solve in user.solves.values()}) < len(user.solves)
    assert repeated > 20
    assert shared > 10


def test_on_demand_solve_ids_never_repeat_and_nobody_solves_a_challenge_twice(world: World) -> None:
    ids = Counter(solve_id for user in world.users.values() for solve_id in user.solves)
    assert max(ids.values()) == 1
    assert all(len(user.solved_challenges()) == len(user.solves) for user in world.users.values())
