"""The matrix: members per category at medium or above, the one on whom a category hangs, and nobody else's teams."""

from dataclasses import replace
from uuid import UUID

import pytest

from app.domain.readers import Reader, Sight
from app.domain.scopes import Scope
from app.queries import scopes
from app.queries.scopes import Frame
from app.queries.team_matrix import Matrix, matrix
from tests.cast import Cast, Person, make_cast, make_competitor, make_team
from tests.league import ago, solve


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


def reader(person: Person, *assisted: UUID) -> Reader:
    sight = Sight(sees_everyone=True) if person.role == "admin" else Sight(False, person.id, assisted)
    return Reader(
        person.id, person.id, person.role, "Somebody", "UTC", "system", (person.organization_id,), sight
    )


async def frame_of(person: Person, *assisted: UUID, scope: Scope | None = None) -> Frame:
    return await scopes.frame(scope or Scope(), reader(person, *assisted))


def counts(found: Matrix, category: str) -> dict[str, int]:
    place = found.categories.index(category)
    return {row.name: row.cells[place].members for row in found.rows}


async def test_a_cell_counts_members_and_names_the_only_one(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    bob = await make_competitor(cast.coach_a, "Bob Prime", team_id=cast.team_a)
    for points in (100, 100, 300):
        await solve(ada, points, ago(days=1))
    await solve(bob, 100, ago(days=1))
    await solve(bob, 300, ago(days=1), category="Forensics")
    await solve(ada, 100, ago(days=1), category="Forensics")
    found = await matrix(await frame_of(cast.coach_a))
    [row] = found.rows
    crypto, forensics = (row.cells[found.categories.index(category)] for category in ("Cryptography", "Forensics"))
    assert (crypto.members, crypto.state, crypto.only and crypto.only.name) == (1, "late", "Ada Prime")
    assert forensics.only and forensics.only.competitor_id == bob and found.hanging_on_one == 2
    await solve(bob, 300, ago(days=1))
    assert counts(await matrix(await frame_of(cast.coach_a)), "Cryptography") == {"Firewall": 2}
    assert (row.members, len(row.cells), {cell.members for cell in row.cells}) == (2, 11, {0, 1})


async def test_sight_scope_and_archived_rows_are_kept(cast: Cast) -> None:
    college = await make_team(cast.coach_a, "Alumni", "college")
    for coach, team in ((cast.coach_a, cast.team_a), (cast.coach_b, cast.team_b)):
        await solve(await make_competitor(coach, "Some Body", team_id=team), 100, ago(days=1))
    assert counts(await matrix(await frame_of(cast.admin)), "Cryptography") == {
        "Alumni": 0, "Backdoor": 1, "Firewall": 1,
    }
    assert set(counts(await matrix(await frame_of(cast.coach_a)), "OSINT")) == {"Alumni", "Firewall"}
    assert set(counts(await matrix(await frame_of(cast.coach_a, cast.team_b)), "OSINT")) == {
        "Alumni", "Backdoor", "Firewall",
    }
    only_college = await frame_of(cast.admin, scope=replace(Scope(), division="college"))
    assert [row.team_id for row in (await matrix(only_college)).rows] == [college]


async def test_the_first_teams_and_how_many_there_are_with_a_category_of_our_own(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    await solve(ada, 100, ago(days=1), category="Lockpicking")
    found = await matrix(await frame_of(cast.admin), limit=1)
    assert ([row.name for row in found.rows], found.teams, found.as_of) == (["Backdoor"], 2, None)
    everything = await matrix(await frame_of(cast.admin))
    assert everything.categories[-1] == "Lockpicking" and counts(everything, "Lockpicking")["Firewall"] == 1


async def test_a_league_without_teams_is_an_empty_matrix(cast: Cast) -> None:
    stranger = replace(cast.coach_a, id=cast.player.id)
    found = await matrix(await frame_of(stranger))
    assert (found.rows, found.teams, found.is_late) == ((), 0, False)
