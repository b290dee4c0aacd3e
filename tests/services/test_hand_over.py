"""A roster that goes to another coach as a whole."""

import json
from uuid import uuid4

import pytest

from app import database
from app.services import hand_over as service
from app.services import organizations
from app.services.hand_over import HandedOver, HandOverError, NotFound, hand_over
from tests.cast import Cast, make_cast, make_competitor, make_organization, make_team, make_user
from tests.services.team_pushes import reader_of, states


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    gone = await make_competitor(cast.coach_a, "Aron Zero")
    await database.execute("update competitors set archived_at = now() where id = $1", gone)
    await make_competitor(cast.coach_b, "Bea Secret", team_id=cast.team_b)
    return cast


async def coaches_of(table: str) -> set[object]:
    return {row["coach_id"] for row in await database.fetch(f"select distinct coach_id from {table}")}


async def test_everybody_and_every_team_changes_the_coach_and_stays_together(cast: Cast) -> None:
    await organizations.add_assistant(cast.team_a, cast.coach_b.id, actor=reader_of(cast.admin))
    assert await hand_over(reader_of(cast.admin), cast.coach_a.id, cast.coach_b.id) == HandedOver(2, 1)
    assert await coaches_of("competitors") == await coaches_of("teams") == {cast.coach_b.id}
    assert await database.fetchval("select count(*) from team_memberships") == 2
    assert await database.fetchval("select count(*) from team_assistants") == 0
    assert await states() == [("team", "waiting")]
    row = await database.fetchrow("select * from audit_log where action = 'roster.handed_over'")
    assert row and row["subject_id"] == str(cast.coach_a.id)
    assert json.loads(row["after"]) == {"coach_id": str(cast.coach_b.id), "competitors": 2, "teams": 1}
    assert await database.fetchval("select kind from activity_events order by id desc limit 1") == "roster_handed_over"
    with pytest.raises(HandOverError, match=service.NOBODY):
        await hand_over(reader_of(cast.admin), cast.coach_a.id, cast.coach_b.id)


async def test_a_coach_who_left_is_replaced(cast: Cast) -> None:
    await database.execute("update users set disabled_at = now() where id = $1", cast.coach_a.id)
    assert await hand_over(reader_of(cast.admin), cast.coach_a.id, cast.coach_b.id) == HandedOver(2, 1)
    with pytest.raises(NotFound):
        await hand_over(reader_of(cast.admin), cast.coach_b.id, cast.coach_a.id)


async def test_what_stands_in_the_way_is_said_and_nothing_moves(cast: Cast) -> None:
    stranger = await make_user(await make_organization("Southern League"), "coach", "Sue Spruce")
    await make_team(cast.coach_b, "fireWALL")
    admin = reader_of(cast.admin)
    refused = ((cast.coach_a.id, "two different"), (stranger.id, "not in the organization"),
               (cast.coach_b.id, "Both coaches have a team called Firewall"))
    for to_coach_id, words in refused:
        with pytest.raises(HandOverError, match=words):
            await hand_over(admin, cast.coach_a.id, to_coach_id)
    for nobody in (cast.player.id, uuid4()):
        with pytest.raises(NotFound):
            await hand_over(admin, cast.coach_a.id, nobody)
    assert await database.fetchval("select count(*) from competitors where coach_id = $1", cast.coach_a.id) == 2


async def test_only_admins_hand_over(cast: Cast) -> None:
    with pytest.raises(NotFound):
        await hand_over(reader_of(cast.coach_a), cast.coach_a.id, cast.coach_b.id)
