"""One action on several competitors: a result for each, all or nothing where one is foreign, and once per form."""

import asyncio
import json
from uuid import UUID, uuid4

import pytest

from app import database
from app.services import roster_changes
from app.services.flags import set_flag
from app.services.onboarding_requests import NotFound as NobodyToAdd
from app.services.roster_changes import MOST, Action, NotFound
from app.services.roster_import import import_roster
from tests.cast import Cast, Person, make_cast, make_competitor, make_organization, make_team, make_user
from tests.services.team_pushes import membership_row, reader_of, states


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def apply(
    person: Person, action: Action, *competitor_ids: UUID, target: UUID | None = None, change_id: UUID | None = None
) -> dict[UUID, tuple[str, str]]:
    change_id = change_id or uuid4()
    await roster_changes.apply(reader_of(person), change_id, action, competitor_ids, target)
    stored = await database.fetchval("select outcomes from roster_changes where id = $1", change_id)
    return {UUID(competitor_id): (outcome, reason) for competitor_id, outcome, reason in json.loads(stored)}


async def value_of(competitor_id: UUID, column: str) -> object:
    return await database.fetchval(f"select {column} from competitors where id = $1", competitor_id)


async def test_every_row_gets_its_own_result(cast: Cast) -> None:
    free, there, elsewhere = [
        await make_competitor(cast.coach_a, "Ada Prime"),
        await make_competitor(cast.coach_a, "Aron Zero", team_id=cast.team_a),
        await make_competitor(cast.coach_a, "Alba Old", division="college"),
    ]
    results = await apply(cast.coach_a, Action.TEAM, free, there, elsewhere, target=cast.team_a)
    assert results == {
        free: ("changed", ""), there: ("unchanged", ""),
        elsewhere: ("refused", "This team is for the division high school."),
    }
    assert (await membership_row(free))["team_id"] == cast.team_a
    assert await states() == [("membership", "waiting")]


async def test_one_foreign_row_and_nobody_is_changed(cast: Cast) -> None:
    mine, foreign = await make_competitor(cast.coach_a, "Ada P"), await make_competitor(cast.coach_b, "Bea S")
    for chosen in ((mine, foreign), (mine, uuid4())):
        with pytest.raises(NotFound):
            await apply(cast.coach_a, Action.ARCHIVE, *chosen)
    with pytest.raises(NotFound):
        await apply(cast.coach_a, Action.TEAM, mine, target=cast.team_b)
    with pytest.raises(NotFound):
        await apply(cast.coach_a, Action.TEAM, mine)
    with pytest.raises(NotFound):
        await apply(cast.coach_a, Action.COACH, mine, target=cast.coach_b.id)
    assert await value_of(mine, "archived_at") is None and await value_of(mine, "coach_id") == cast.coach_a.id
    assert await database.fetchval("select count(*) from roster_changes") == 0


async def test_the_same_form_sent_twice_acts_once(cast: Cast) -> None:
    people = [await make_competitor(cast.coach_a, f"Nina Number{number}") for number in range(5)]
    change_id = uuid4()
    answers = await asyncio.gather(
        *(apply(cast.coach_a, Action.ARCHIVE, *people, change_id=change_id) for _ in range(3))
    )
    assert [set(answer.values()) for answer in answers] == [{("changed", "")}] * 3
    assert await database.fetchval("select count(*) from audit_log where action = 'competitor.archived'") == 5


async def test_a_paper_moves_on_who_waits_for_it_and_stays_against_imports(cast: Cast) -> None:
    someone = await make_competitor(cast.coach_a, "Ada Prime", status="profile")
    assert await apply(cast.coach_a, Action.RELEASE, someone) == {someone: ("changed", "")}
    assert await apply(cast.coach_a, Action.RELEASE, someone) == {someone: ("unchanged", "")}
    assert await value_of(someone, "status") == "profile"
    await apply(cast.coach_a, Action.AGREEMENT, someone)
    assert await value_of(someone, "status") == "compliance"
    assert json.loads(str(await value_of(someone, "edited_fields"))) == ["agreement_signed", "release_signed"]


async def test_the_archive_takes_off_the_team_and_gives_back_without_it(cast: Cast) -> None:
    someone = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    assert await apply(cast.coach_a, Action.ARCHIVE, someone) == {someone: ("changed", "")}
    assert await value_of(someone, "archived_at") is not None and await states() == [("membership", "waiting")]
    assert await database.fetchval("select count(*) from team_memberships") == 0
    assert (await apply(cast.coach_a, Action.TEAM, someone, target=cast.team_a))[someone][0] == "refused"
    assert await apply(cast.coach_a, Action.RESTORE, someone) == {someone: ("changed", "")}
    assert await apply(cast.coach_a, Action.RESTORE, someone) == {someone: ("unchanged", "")}
    assert await value_of(someone, "archived_at") is None
    kinds = [row["kind"] for row in await database.fetch("select kind from activity_events order by id")]
    assert kinds == ["competitor_archived", "competitor_restored"]


async def test_an_admin_gives_a_competitor_to_another_coach(cast: Cast) -> None:
    someone = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    stranger = await make_user(await make_organization("Southern League"), "coach", "Sue Spruce")
    for nobody in (stranger.id, cast.player.id):
        assert (await apply(cast.admin, Action.COACH, someone, target=nobody))[someone][0] == "refused"
    assert await apply(cast.admin, Action.COACH, someone, target=cast.coach_b.id) == {someone: ("changed", "")}
    assert await value_of(someone, "coach_id") == cast.coach_b.id
    assert await database.fetchval("select count(*) from team_memberships") == 0
    assert await states() == [("membership", "waiting")]


async def test_taking_off_leaves_who_is_on_no_team(cast: Cast) -> None:
    member = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    free = await make_competitor(cast.coach_a, "Aron Zero")
    assert await apply(cast.coach_a, Action.NO_TEAM, member, free) == {
        member: ("changed", ""), free: ("unchanged", "")
    }


async def test_adding_asks_for_who_may_be_added_and_names_the_obstacle_of_the_others(cast: Cast) -> None:
    await set_flag("game_platform", True, organization_id=None, actor=None, actor_label="test")
    ready = await make_competitor(cast.coach_a, "Ada Prime", status="compliance")
    blocked = await make_competitor(cast.coach_a, "Aron Zero", status="profile")
    results = await apply(cast.coach_a, Action.ADD, ready, blocked)
    assert results == {ready: ("asked", ""), blocked: ("refused", "Needs: signed release.")}
    run_id = await database.fetchval("select id from job_runs where kind = 'game_platform_onboarding'")
    assert await database.fetchval("select run_id from roster_changes") == run_id
    with pytest.raises(NobodyToAdd):
        await apply(cast.coach_b, Action.ADD, ready)


async def test_there_is_a_most(cast: Cast) -> None:
    with pytest.raises(NotFound):
        await apply(cast.coach_a, Action.ARCHIVE, *(uuid4() for _ in range(MOST + 1)))


async def test_two_who_change_the_same_people_at_once_both_finish(cast: Cast) -> None:
    people = [await make_competitor(cast.coach_a, f"Nina Number{number}") for number in range(12)]
    await asyncio.gather(
        apply(cast.coach_a, Action.TEAM, *people, target=cast.team_a),
        apply(cast.admin, Action.NO_TEAM, *reversed(people)),
        apply(cast.admin, Action.RELEASE, *people),
        apply(cast.coach_a, Action.TEAM, *reversed(people), target=cast.team_a),
    )
    assert await database.fetchval("select count(*) from roster_changes where outcomes <> '[]'") == 4


async def test_an_import_takes_back_neither_a_team_nor_a_field_that_was_chosen_by_hand(cast: Cast) -> None:
    other = await make_team(cast.coach_a, "Second")
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a, status="profile")
    await apply(cast.coach_a, Action.TEAM, ada, target=other)
    await apply(cast.coach_a, Action.RELEASE, ada)
    content = b"first_name,last_name,division,team,release_signed,grade\nAda,Prime,high_school,Firewall,no,11\n"
    report = await import_roster(
        content, coach_email=cast.coach_a.email, dry_run=False, actor=None, actor_label="command line"
    )
    assert (report.updated, report.errors) == (1, ())
    assert (await membership_row(ada))["team_id"] == other
    assert await value_of(ada, "release_signed") is True and await value_of(ada, "grade") == "11"
