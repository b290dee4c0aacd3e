from uuid import UUID, uuid4

import pytest

from app import database
from app.domain.readers import Reader
from app.security import sessions
from app.services import organizations
from app.services.organizations import OrganizationError
from tests.cast import Cast, Person, make_cast, make_organization, make_user


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def reader_for(person: Person) -> Reader:
    reader = (await sessions.read_session(await sessions.open_session(person.id, address="", user_agent="")))[1]
    assert reader
    return reader


async def assisted_by(person: Person) -> tuple[UUID, ...]:
    return (await reader_for(person)).sight.assisted_team_ids


async def test_an_assistant_sees_the_team_until_removed(cast: Cast) -> None:
    coach = await reader_for(cast.coach_a)
    await organizations.add_assistant(cast.team_a, cast.coach_b.id, actor=coach)
    await organizations.add_assistant(cast.team_a, cast.coach_b.id, actor=coach)
    assert await assisted_by(cast.coach_b) == (cast.team_a,)
    await organizations.remove_assistant(cast.team_a, cast.coach_b.id, actor=coach)
    await organizations.remove_assistant(cast.team_a, cast.coach_b.id, actor=coach)
    assert await assisted_by(cast.coach_b) == ()
    actions = await database.fetch("select action from audit_log order by id")
    assert [row["action"] for row in actions] == ["team.assistant_added", "team.assistant_removed"]


async def test_an_admin_may_choose_assistants_too(cast: Cast) -> None:
    await organizations.add_assistant(cast.team_a, cast.coach_b.id, actor=await reader_for(cast.admin))
    assert await assisted_by(cast.coach_b) == (cast.team_a,)


async def test_nobody_gives_themselves_the_sight_of_anothers_team(cast: Cast) -> None:
    for team_id in (cast.team_a, uuid4()):
        with pytest.raises(OrganizationError, match="no such team"):
            await organizations.add_assistant(team_id, cast.coach_b.id, actor=await reader_for(cast.coach_b))
    assert await assisted_by(cast.coach_b) == ()


async def test_an_assistant_may_not_choose_further_ones(cast: Cast) -> None:
    await organizations.add_assistant(cast.team_a, cast.coach_b.id, actor=await reader_for(cast.coach_a))
    third = await make_user(cast.organization_id, "coach", "Cora Cedar")
    with pytest.raises(OrganizationError):
        await organizations.add_assistant(cast.team_a, third.id, actor=await reader_for(cast.coach_b))


async def test_only_coaches_of_the_same_organization_assist(cast: Cast) -> None:
    elsewhere = await make_user(await make_organization("Southern League"), "coach", "Sue Spruce")
    for user_id in (cast.player.id, elsewhere.id, uuid4()):
        with pytest.raises(OrganizationError, match="same organization"):
            await organizations.add_assistant(cast.team_a, user_id, actor=await reader_for(cast.coach_a))


async def test_the_organizer_right_is_given_and_taken(cast: Cast) -> None:
    admin = await reader_for(cast.admin)
    assert not await organizations.is_organizer(cast.organization_id, cast.coach_a.id)
    await organizations.set_organizer(cast.organization_id, cast.coach_a.id, True, actor=admin)
    await organizations.set_organizer(cast.organization_id, cast.coach_a.id, True, actor=admin)
    assert await organizations.is_organizer(cast.organization_id, cast.coach_a.id)
    assert not await organizations.is_organizer(await make_organization("Southern League"), cast.coach_a.id)
    await organizations.set_organizer(cast.organization_id, cast.coach_a.id, False, actor=admin)
    assert not await organizations.is_organizer(cast.organization_id, cast.coach_a.id)
    assert await database.fetchval("select count(*) from audit_log") == 2
