"""Pages of the leaderboard: every row once whatever the order and the filter, and only what the reader may see."""

import itertools
import random
import re
import unicodedata
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from app import database
from app.domain.leaderboard import DIVISIONS, Sort, View
from app.domain.paging import Cursor
from app.domain.readers import Reader, Sight
from app.queries import leaderboard as queries
from app.queries.leaderboard import PAGE_SIZE, Choices, League, Row
from tests.cast import Cast, Person, make_cast, make_competitor, make_team
from tests.league import ago, refresh, solve

PEOPLE = 23
SIZE = 5
EVERYBODY = Sight(sees_everyone=True)


@pytest_asyncio.fixture
async def cast() -> AsyncIterator[Cast]:
    """Ties, zeros, people without a team or an account, two coaches, three divisions."""
    cast = await make_cast()
    chance = random.Random(3)
    second = await make_team(cast.coach_a, "Ärger im Netz", "college")
    for number in range(PEOPLE):
        of_a, of_b = (cast.coach_a, (cast.team_a, second, None)), (cast.coach_b, (cast.team_b, None))
        coach, teams = of_a if number % 3 else of_b
        person = await make_competitor(
            coach, f"{chance.choice(('Ada', 'José', 'Ольга'))} {chance.choice('ABC')}{number}",
            team_id=chance.choice(teams), division=chance.choice(list(DIVISIONS)),
            status="complete" if number % 5 else "profile",
        )
        for _ in range(chance.choice((0, 0, 1, 2, 3))):
            await solve(
                person, 100, chance.choice((ago(days=2), ago(days=20), ago(days=200))),
                category=chance.choice(("OSINT", "Social")), source=chance.choice(("odl", "flash_ctf")),
            )
    await refresh(cast.organization_id)
    yield cast


def reader_for(person: Person, sight: Sight | None = None) -> Reader:
    return Reader(
        person.id, uuid4(), person.role, "Somebody", "UTC", "system", (person.organization_id,),
        sight or (EVERYBODY if person.role == "admin" else Sight(coach_id=person.id)),
    )


async def league_for(view: View, reader: Reader) -> League:
    organization_id = queries.shown_organization(view, reader)
    assert organization_id
    return await queries.get_league(view, reader, organization_id)


async def choices_for(reader: Reader) -> Choices:
    league = await queries.get_league(View(), reader, reader.organization_ids[0], with_choices=True)
    assert league.choices
    return league.choices


async def rows_of(view: View, reader: Reader, *, size: int = 500) -> tuple[Row, ...]:
    league = await league_for(view, reader)
    return (await queries.get_page(view, reader.sight, league, size=size)).rows


def views() -> list[View]:
    custom = {"window": "custom", "first_day": ago(days=25).date(), "last_day": ago(days=1).date()}
    scopes = [{}, {"category": "OSINT"}, {"source": "flash_ctf"}, {"source": "odl", "category": "Social"}]
    others: list[dict[str, Any]] = [{}, {"division": "college"}, {"search": "a"}, {"window": "7"}, custom]
    return [
        View(sort=sort, is_descending=is_descending, **{"window": "30", **scope, **other})
        for sort, is_descending, scope, other in itertools.product(Sort, (False, True), scopes, others)
    ]


async def test_paging_shows_every_row_exactly_once_forwards_and_backwards(cast: Cast) -> None:
    reader = reader_for(cast.admin)
    for view in views():
        league = await league_for(view, reader)
        whole = [row.competitor_id for row in await rows_of(view, reader)]
        expected = PEOPLE if not (view.division or view.search) else len(whole)
        assert len(set(whole)) == len(whole) == expected, view

        page = await queries.get_page(view, reader.sight, league, size=SIZE)
        assert page.previous is None
        seen = [row.competitor_id for row in page.rows]
        pages = [seen]
        while page.next:
            page = await queries.get_page(replace(view, cursor=page.next), reader.sight, league, size=SIZE)
            pages.append([row.competitor_id for row in page.rows])
        assert [person for shown in pages for person in shown] == whole, view

        back = []
        while page.previous:
            page = await queries.get_page(replace(view, cursor=page.previous), reader.sight, league, size=SIZE)
            back.append([row.competitor_id for row in page.rows])
        assert back == pages[-2::-1], view


async def test_turning_an_order_round_turns_the_whole_list_round(cast: Cast) -> None:
    reader = reader_for(cast.admin)
    for view in views():
        there = [row.competitor_id for row in await rows_of(view, reader)]
        back = [row.competitor_id for row in await rows_of(replace(view, is_descending=not view.is_descending), reader)]
        assert there == back[::-1], view


ORDERED_BY: dict[Sort, Callable[[Row], Any]] = {
    Sort.RANK: lambda row: row.rank, Sort.POINTS: lambda row: row.points, Sort.CHALLENGES: lambda row: row.challenges,
    Sort.CHANGE: lambda row: row.change, Sort.DIVISION: lambda row: row.division,
    Sort.LAST_ACTIVE: lambda row: row.last_active_at or datetime.min.replace(tzinfo=UTC),
    Sort.TEAM: lambda row: (not row.team, row.team.replace("Ä", "A").lower()),
    Sort.NAME: lambda row: f"{row.last_name} {row.first_name}".replace("é", "e").lower(),
}


async def test_every_order_is_the_order_of_its_column(cast: Cast) -> None:
    reader = reader_for(cast.admin)
    for view in views():
        values = [ORDERED_BY[view.sort](row) for row in await rows_of(view, reader)]
        assert values == sorted(values, reverse=view.is_descending), view


async def test_a_scope_counts_only_its_own_solves_and_shows_everybody_else_with_zeros_after(cast: Cast) -> None:
    rows = await rows_of(View(category="OSINT"), reader_for(cast.admin))
    stored = {
        row["competitor_id"]: row["points"]
        for row in await database.fetch(
            """select competitor_id, sum(challenge_points) as points from game_platform_challenge_solves
               where category = 'OSINT' group by 1"""
        )
    }
    assert 0 < len(stored) < PEOPLE
    assert [row.points for row in rows] == [stored.get(row.competitor_id, 0) for row in rows]
    assert {row.rank for row in rows if not row.points} == {len(stored) + 1}
    assert all(row.rank_then is None for row in rows)
    assert [row.points for row in rows] == sorted((row.points for row in rows), reverse=True)


async def test_a_custom_window_counts_what_the_preset_of_the_same_days_counts(cast: Cast) -> None:
    reader = reader_for(cast.admin)
    today = datetime.now(UTC).date()
    for days in (7, 14, 30, 90):
        custom = View(window="custom", first_day=today - timedelta(days=days - 1), last_day=today)
        for category, sort in itertools.product(("", "OSINT"), (Sort.RANK, Sort.CHANGE)):
            stored = await rows_of(replace(custom, window=str(days), sort=sort, category=category), reader)
            assert stored == await rows_of(replace(custom, sort=sort, category=category), reader)


async def test_a_custom_window_that_is_over_counts_only_its_own_days(cast: Cast) -> None:
    today = datetime.now(UTC).date()
    view = View(window="custom", first_day=today - timedelta(days=30), last_day=today - timedelta(days=10))
    rows = await rows_of(view, reader_for(cast.admin))
    stored = {
        row["competitor_id"]: row["points"]
        for row in await database.fetch(
            """select competitor_id, sum(challenge_points) as points from game_platform_challenge_solves
               where solved_at between now() - interval '29 days' and now() - interval '11 days' group by 1"""
        )
    }
    assert any(stored.values())
    assert {row.competitor_id: row.change for row in rows if row.change} == stored


async def test_a_coach_sees_only_their_own_and_the_teams_they_assist(cast: Cast) -> None:
    own = {row["id"] for row in await database.fetch("select id from competitors where coach_id = $1", cast.coach_b.id)}
    assisted = {
        row["competitor_id"]
        for row in await database.fetch("select competitor_id from team_memberships where team_id = $1", cast.team_a)
    }
    assert own and assisted
    alone = reader_for(cast.coach_b)
    assisting = reader_for(cast.coach_b, Sight(coach_id=cast.coach_b.id, assisted_team_ids=(cast.team_a,)))
    for view in views():
        whole = {row.competitor_id for row in await rows_of(view, reader_for(cast.admin))}
        assert {row.competitor_id for row in await rows_of(view, alone)} == whole & own, view
        assert {row.competitor_id for row in await rows_of(view, assisting)} == whole & (own | assisted), view


async def test_a_coachs_ranks_are_those_among_everybody(cast: Cast) -> None:
    everybody = {row.competitor_id: row for row in await rows_of(View(), reader_for(cast.admin))}
    for row in await rows_of(View(), reader_for(cast.coach_a)):
        assert (row.rank, row.rank_then) == (everybody[row.competitor_id].rank, everybody[row.competitor_id].rank_then)


async def test_somebody_handed_over_is_out_of_sight_at_once(cast: Cast) -> None:
    """Before the standings are refreshed, too."""
    before = await rows_of(View(), reader_for(cast.coach_a))
    handed_over, archived = before[0].competitor_id, before[1].competitor_id
    await database.execute("update competitors set coach_id = $1 where id = $2", cast.coach_b.id, handed_over)
    await database.execute("update competitors set archived_at = now() where id = $1", archived)
    after = await rows_of(View(), reader_for(cast.coach_a))
    assert {row.competitor_id for row in before} - {row.competitor_id for row in after} == {handed_over, archived}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("jos", True), ("JOSÉ", True), ("ольга", True), ("árger", True), ("netz im", True), ("ada netz", None),
        ("osé", False), ("zzz", False), ("'); drop", False), ("!!!", False), ("\\", False), ("a' b:*", None),
    ],
)
async def test_search_finds_the_beginning_of_any_word(cast: Cast, search: str, found: bool | None) -> None:
    rows = await rows_of(View(search=search), reader_for(cast.admin))
    if found is not None:
        assert bool(rows) is found
    if search == "netz im":
        assert {row.team for row in rows} == {"Ärger im Netz"}


async def test_many_matches_are_read_otherwise_than_few_and_are_the_same_rows(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = reader_for(cast.admin)
    searches = [replace(view, search="a") for view in views() if not view.search]
    few = [await rows_of(view, reader) for view in searches]
    assert (await league_for(searches[0], reader)).has_few_matches
    monkeypatch.setattr(queries, "FEW_MATCHES", 2)
    assert not (await league_for(searches[0], reader)).has_few_matches
    assert [await rows_of(view, reader) for view in searches] == few


def words_of(row: Row) -> set[str]:
    """The words as a reader of the table would tell them apart, without case and accents."""
    text = unicodedata.normalize("NFD", " ".join((row.name, row.handle, row.team)))
    bare = "".join(letter for letter in text if not unicodedata.combining(letter)).casefold()
    return set(re.findall(r"[^\W_]+", bare))


async def test_a_search_finds_what_a_look_at_every_word_of_every_row_finds(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, reader = random.Random(5), reader_for(cast.admin)
    await database.execute(
        "update competitors set metactf_username = 'Nüll_' || left(id::text, 3) where organization_id = $1",
        cast.organization_id,
    )
    await refresh(cast.organization_id)
    everybody = await rows_of(View(), reader)
    known = sorted(set().union(*map(words_of, everybody)))
    assert {"jose", "ольга", "arger", "null"} <= set(known)
    for few in (0, queries.FEW_MATCHES):
        monkeypatch.setattr(queries, "FEW_MATCHES", few)
        for _ in range(60):
            asked = [word[:chance.randint(1, len(word))] for word in chance.sample(known, chance.choice((1, 1, 2)))]
            expected = [
                row for row in everybody if all(any(word.startswith(a) for word in words_of(row)) for a in asked)
            ]
            typed = " ".join(chance.choice((word, word.upper())) for word in asked)
            assert await rows_of(View(search=typed), reader) == tuple(expected), typed


async def test_a_handle_is_found_too(cast: Cast) -> None:
    person = (await rows_of(View(), reader_for(cast.admin)))[0].competitor_id
    await database.execute("update competitors set metactf_username = 'Null_Pointer' where id = $1", person)
    await refresh(cast.organization_id)
    rows = await rows_of(View(search="point"), reader_for(cast.admin))
    assert [(row.competitor_id, row.handle) for row in rows] == [(person, "Null_Pointer")]


class Counted:
    """Counts what goes through the one connection."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.queries = self.rows = 0
        for name in ("fetch", "fetchrow", "fetchval"):
            monkeypatch.setattr(asyncpg.Connection, name, self._counting(getattr(asyncpg.Connection, name)))

    def _counting(self, real: Any) -> Any:
        async def counted(connection: Any, *arguments: Any, **options: Any) -> Any:
            self.queries += 1
            result = await real(connection, *arguments, **options)
            self.rows += len(result) if isinstance(result, list) else 0
            return result

        return counted


async def test_a_page_reads_one_row_more_than_it_shows(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await database.execute(
        """insert into competitors (organization_id, coach_id, first_name, last_name, division)
           select $1, $2, 'Extra', n::text, 'college' from generate_series(1, 200) n""",
        cast.organization_id, cast.coach_a.id,
    )
    await refresh(cast.organization_id)
    reader = reader_for(cast.admin)
    for view in views():
        league = await league_for(view, reader)
        with monkeypatch.context() as patch:
            counted = Counted(patch)
            page = await queries.get_page(view, reader.sight, league)
        assert counted.queries == 1
        assert len(page.rows) <= PAGE_SIZE and counted.rows <= PAGE_SIZE + 1, view
        if page.next:
            assert counted.rows == PAGE_SIZE + 1


@pytest.mark.parametrize(
    "values",
    [
        (), (0,), (0, "x", "y", "z"), (9, 1, "a", str(UUID(int=1))), (True, 1, "a", str(UUID(int=1))),
        (0, 1, "a", "no-uuid"), (0, "1", "a", str(UUID(int=1))), (0, True, "a", str(UUID(int=1))),
    ],
)
async def test_a_cursor_with_the_wrong_values_is_left_out(cast: Cast, values: tuple[Any, ...]) -> None:
    reader = reader_for(cast.admin)
    view = View(cursor=Cursor(View().order_name, values))
    understood, notices = queries.understood(view, await league_for(view, reader), reader)
    assert understood.cursor is None and "“cursor”" in notices[0]


async def test_a_place_that_is_gone_is_still_a_place(cast: Cast) -> None:
    reader = reader_for(cast.admin)
    view = View(sort=Sort.LAST_ACTIVE, is_descending=True)
    for moment in ("-infinity", "2026-11-01T00:00:00+00:00"):
        cursor = Cursor(view.order_name, (0, moment, -3, str(UUID(int=0))))
        page_view, notices = queries.understood(replace(view, cursor=cursor), await league_for(view, reader), reader)
        assert not notices
        assert all(row.last_active_at is None or moment != "-infinity" for row in await rows_of(page_view, reader))


async def test_somebody_elses_team_is_the_same_as_none(cast: Cast) -> None:
    reader = reader_for(cast.coach_a)
    answers = set()
    for team_id in (cast.team_b, uuid4()):
        view = View(team_id=team_id)
        understood, notices = queries.understood(view, await league_for(view, reader), reader)
        answers.add((understood, notices))
    assert answers == {(View(), ("“team” is not known; all teams are shown.",))}


async def test_only_admins_filter_by_coach_and_only_within_the_organization(cast: Cast) -> None:
    view = View(coach_id=cast.coach_b.id)
    for reader, is_kept in ((reader_for(cast.admin), True), (reader_for(cast.coach_a), False)):
        understood, _ = queries.understood(view, await league_for(view, reader), reader)
        assert (understood == view) is is_kept
    rows = await rows_of(view, reader_for(cast.admin))
    assert {row.coach for row in rows} == {"Ben Birch"}
    stranger = View(coach_id=uuid4())
    assert queries.understood(stranger, await league_for(stranger, reader_for(cast.admin)), reader_for(cast.admin))[1]


async def test_choices_are_what_the_reader_may_see(cast: Cast) -> None:
    admins = await choices_for(reader_for(cast.admin))
    assert {label for _, label in admins.teams} == {"Firewall", "Backdoor", "Ärger im Netz"}
    assert {label for _, label in admins.coaches} == {"Ada Alder", "Ben Birch"}
    coachs = await choices_for(reader_for(cast.coach_a))
    assert {label for _, label in coachs.teams} == {"Firewall", "Ärger im Netz"}
    assert coachs.coaches == coachs.organizations == ()


async def test_categories_that_nobody_knows_yet_can_be_chosen_and_invented_ones_cannot(cast: Cast) -> None:
    reader = reader_for(cast.admin)
    person = (await rows_of(View(), reader))[0].competitor_id
    await solve(person, 10, ago(days=1), category="Quantum Locks")
    await refresh(cast.organization_id)
    choices = await choices_for(reader)
    assert choices.categories[-1] == ("Quantum Locks", "Quantum Locks")
    for category, is_kept in (("Quantum Locks", True), ("Other", True), ("Cooking", False)):
        view = View(category=category)
        understood, _ = queries.understood(view, await league_for(view, reader), reader)
        assert (understood.category == category) is is_kept


async def test_too_many_teams_are_no_choice(cast: Cast) -> None:
    for number in range(queries.MOST_CHOICES):
        await make_team(cast.coach_a, f"Team {number}")
    assert (await choices_for(reader_for(cast.admin))).teams == ()


async def test_the_age_of_a_page_is_that_of_its_oldest_row(cast: Cast) -> None:
    reader = reader_for(cast.admin)
    rows = await rows_of(View(), reader)
    linked = [row.competitor_id for row in rows if row.is_linked]
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '1 hour'")
    await database.execute(
        """update game_platform_sync_state set last_success_at = now() - interval '9 hours', last_result = 'failure'
           where competitor_id = $1""", linked[0],
    )
    league = await league_for(View(), reader)
    freshness = (await queries.get_page(View(), reader.sight, league)).freshness
    assert freshness.is_late and freshness.failed == 1 and freshness.unread == 0
    await database.execute(
        "update game_platform_sync_state set last_success_at = null where competitor_id = $1", linked[0]
    )
    freshness = (await queries.get_page(View(), reader.sight, league)).freshness
    assert not freshness.is_late and freshness.unread == 1


async def test_the_page_needs_no_standings_at_all(cast: Cast) -> None:
    await database.execute("truncate standings, standing_scopes, standing_histories, standing_versions")
    for view in views()[:20]:
        assert await rows_of(view, reader_for(cast.admin)) == ()


def test_no_statement_pages_by_offset() -> None:
    from app.queries import keyset, leaderboard_sql

    for module in (keyset, leaderboard_sql, queries):
        assert module.__file__
        text = Path(module.__file__).read_text().replace("offset 0", "")
        assert not re.search(r"\boffset\b", text, re.IGNORECASE)
