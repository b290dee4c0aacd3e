"""A scope as one reader may have it."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app import database
from app.domain.readers import Reader
from app.domain.scopes import Scope
from app.queries import scopes
from app.queries.keyset import Arguments
from app.queries.scopes import Frame, NoOrganization
from tests.cast import Cast, Person, make_cast, make_competitor, make_organization
from tests.readers import reader_for


async def names(frame: Frame) -> set[str]:
    arguments = Arguments()
    rows = await database.fetch(
        f"""select c.first_name from competitors c left join team_memberships m on m.competitor_id = c.id
            where {frame.people(arguments)}""", *arguments.values,
    )
    return {row[0] for row in rows}


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    await make_competitor(cast.coach_a, "Ann Own", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "Al Teamless", division="college")
    await make_competitor(cast.coach_b, "Bea Foreign", team_id=cast.team_b)
    return cast


async def seen(person: Person, scope: Scope) -> set[str]:
    return await names(await scopes.frame(scope, await reader_for(person)))


async def test_everybody_gets_their_own_people_and_the_filters_narrow_them(cast: Cast) -> None:
    assert await seen(cast.coach_a, Scope()) == {"Ann", "Al"}
    assert await seen(cast.coach_a, Scope(team_id=cast.team_a)) == {"Ann"}
    assert await seen(cast.coach_a, Scope(division="college")) == {"Al"}
    assert await seen(cast.admin, Scope()) == {"Ann", "Al", "Bea"}
    assert await seen(cast.admin, Scope(coach_id=cast.coach_b.id)) == {"Bea"}


async def test_an_assistant_sees_the_team_they_assist(cast: Cast) -> None:
    await database.execute("insert into team_assistants (team_id, user_id) values ($1, $2)", cast.team_b,
                           cast.coach_a.id)
    assert await seen(cast.coach_a, Scope()) == {"Ann", "Al", "Bea"}


async def test_what_a_reader_cannot_know_is_taken_out_and_named(cast: Cast) -> None:
    asked = Scope(organization_id=uuid4(), coach_id=cast.coach_b.id, team_id=cast.team_b)
    frame = await scopes.frame(asked, await reader_for(cast.coach_a))
    assert frame.scope == Scope()
    assert [notice.split()[0] for notice in frame.notices] == ["“organization”", "“team”", "“coach”"]
    assert await names(frame) == {"Ann", "Al"}


async def test_windows_are_equal_and_follow_each_other(cast: Cast) -> None:
    for name in ("7", "30", "year"):
        frame = await scopes.frame(Scope(window=name), await reader_for(cast.admin))
        days = frame.window.last_day - frame.window.first_day
        assert frame.previous.last_day + timedelta(days=1) == frame.window.first_day
        assert frame.previous.last_day - frame.previous.first_day == days
        assert frame.previous.ends_at == frame.window.starts_at


async def test_a_reader_chooses_among_their_own_organizations(cast: Cast) -> None:
    other = await make_organization("Southern League")
    await database.execute("insert into organization_members (organization_id, user_id) values ($1, $2)", other,
                           cast.admin.id)
    reader: Reader = await reader_for(cast.admin)
    frame = await scopes.frame(Scope(organization_id=other), reader)
    assert (frame.organization_name, frame.scope.organization_id) == ("Southern League", other)
    assert {UUID(value) for value, _label in frame.choices.organizations} == {cast.organization_id, other}


async def test_without_an_organization_there_is_nothing_to_frame(cast: Cast) -> None:
    await database.execute("delete from organization_members where user_id = $1", cast.coach_a.id)
    with pytest.raises(NoOrganization):
        await scopes.frame(Scope(), await reader_for(cast.coach_a))
