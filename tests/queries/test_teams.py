"""Teams, their members and who may join, each only for whoever may see them."""

from uuid import uuid4

import pytest

from app import database
from app.domain.readers import Sight
from app.domain.team_list import View
from app.queries import teams as queries
from tests.cast import Cast, make_cast, make_competitor, make_team

EVERYBODY = Sight(sees_everyone=True)
NOBODY = Sight(coach_id=uuid4())


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def names(view: View, sight: Sight) -> list[str]:
    return [team.name for team in (await queries.get_page(view, sight)).rows]


async def test_sight_comes_first(cast: Cast) -> None:
    await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    assert await names(View(), EVERYBODY) == ["Backdoor", "Firewall"]
    assert await names(View(), Sight(coach_id=cast.coach_a.id)) == ["Firewall"]
    assert await names(View(), Sight(coach_id=uuid4(), assisted_team_ids=(cast.team_b,))) == ["Backdoor"]
    assert await names(View(), NOBODY) == [] and await names(View(search="wall"), NOBODY) == []
    assert await queries.get_team(NOBODY, cast.team_a) is None
    assert await queries.get_members(NOBODY, cast.team_a) == ()
    assert len(await queries.get_members(EVERYBODY, cast.team_a)) == 1


async def test_who_may_join_are_the_coachs_own_of_the_division_who_are_not_on_it(cast: Cast) -> None:
    other = await make_team(cast.coach_a, "Kernel Panic")
    await make_competitor(cast.coach_a, "On It", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "Free One")
    await make_competitor(cast.coach_a, "Else Where", team_id=other)
    await make_competitor(cast.coach_a, "Too Old", division="college")
    await make_competitor(cast.coach_b, "Some Body")
    archived = await make_competitor(cast.coach_a, "Long Gone")
    await database.execute("update competitors set archived_at = now() where id = $1", archived)
    team = await queries.get_team(EVERYBODY, cast.team_a)
    assert team and team.members == 1
    found = await queries.get_candidates(EVERYBODY, team)
    assert [(person.name, person.team) for person in found] == [("Free One", ""), ("Else Where", "Kernel Panic")]
    assert await queries.get_candidates(NOBODY, team) == ()


@pytest.mark.parametrize(("push", "error", "is_synced", "word"), [
    (None, None, True, "Synced"), (None, None, False, "Pending"), ("waiting", "not yet", True, "Pending"),
    ("parked", "refused", False, "Error"), (None, "The Game Platform did not delete this team", True, "Error"),
])
async def test_the_badge_follows_the_push_then_the_error_then_the_sync(
    cast: Cast, push: str | None, error: str | None, is_synced: bool, word: str
) -> None:
    await database.execute(
        "update teams set game_platform_sync_error = $2, game_platform_synced_at = case when $3 then now() end "
        "where id = $1",
        cast.team_a, error, is_synced,
    )
    if push:
        await database.execute(
            "insert into outbox (organization_id, kind, subject_id, state, reason) values ($1, 'team', $2, $3, $4)",
            cast.organization_id, cast.team_a, push, error,
        )
    team = await queries.get_team(EVERYBODY, cast.team_a)
    assert team and (team.sync.word, team.sync.reason) == (word, error or "")
