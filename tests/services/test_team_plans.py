"""A plan is carried out whole or not at all, and the platform is told what the plan listed."""

import asyncio
import random
from collections import Counter
from uuid import UUID

import pytest

from app import database
from app.domain.scopes import Scope
from app.domain.team_plans import CallKind, Mode, Squad
from app.queries import scopes
from app.queries import team_plans as queries
from app.services import team_plans, teams
from app.services.team_plans import PlanOutdated, TeamError
from tests.cast import Person, make_competitor, make_team, make_user
from tests.readers import reader_for
from tests.services.platform import Platform, make_onboarded
from tests.services.team_pushes import drain, drain_until_settled, effects, ours, reader_of, rows, theirs

EFFECTS = {
    CallKind.CREATE_COACH: "user_created", CallKind.CREATE_TEAM: "team_created", CallKind.UNASSIGN: "user_unassigned",
    CallKind.ASSIGN: "user_assigned",
}


async def squad_of(person: Person) -> Squad:
    frame = await scopes.frame(Scope(), await reader_for(person))
    [group] = await queries.get_groups(frame)
    return (await queries.get_squad(group, frame)).squad


async def memberships() -> dict[UUID, UUID]:
    found = await database.fetch("select competitor_id, team_id from team_memberships")
    return {row["competitor_id"]: row["team_id"] for row in found}


@pytest.mark.parametrize("seed", range(4))
async def test_the_listed_calls_are_the_effects_of_applying(platform: Platform, coach: Person, seed: int) -> None:
    chance = random.Random(seed)
    reader = reader_of(coach)
    roster = [await teams.create(reader, name=f"Team {n}", division="high_school", affiliation="North") for n in (1, 2)]
    for number in range(8):
        member, _ = await make_onboarded(platform, coach, f"Player{number} Poplar")
        if number % 3:
            await teams.add_member(reader, chance.choice(roster), member)
    await drain_until_settled(platform)
    new = await make_team(coach, "Brand New")
    await make_competitor(coach, "No Account", status="compliance")
    minor, _ = await make_onboarded(platform, coach, "No Consent")
    await database.execute("update competitors set data_consent = false where id = $1", minor)
    squad = await squad_of(coach)
    assert len(squad.teams) == 3 and len(squad.people) == 10
    places = [*(team.team_id for team in squad.teams), None]
    plan = {person.competitor_id: chance.choice(places) for person in squad.people}
    plan[squad.people[seed].competitor_id] = new
    moves = squad.moves(plan)
    expected = Counter(EFFECTS[call.kind] for call in squad.calls(moves))
    before = len(await effects(platform))
    await team_plans.apply(reader, coach.organization_id, moves)
    assert await memberships() == {person: team for person, team in plan.items() if team}
    for _ in range(3):
        await database.execute("update outbox set next_attempt_at = now() where state = 'waiting'")
        await drain(platform)
    assert Counter((await effects(platform))[before:]) == expected


async def test_a_suggestion_reaches_the_platform(platform: Platform, coach: Person) -> None:
    reader = reader_of(coach)
    for name in ("First", "Second"):
        await teams.create(reader, name=name, division="high_school", affiliation="North")
    for number in range(6):
        await make_onboarded(platform, coach, f"Player{number} Poplar")
    squad = await squad_of(coach)
    moves = squad.moves(squad.suggested(Mode.GROWTH, None))
    assert [call.kind for call in squad.calls(moves)][:3] == [
        CallKind.CREATE_COACH, CallKind.CREATE_TEAM, CallKind.CREATE_TEAM
    ]
    await team_plans.apply(reader, coach.organization_id, moves)
    await drain_until_settled(platform)
    assert await ours() == await theirs(platform)
    assert all(len(members) == 3 for members in (await theirs(platform)).values())


async def test_who_was_moved_meanwhile_stops_the_whole_plan(coach: Person) -> None:
    first, second = await make_team(coach, "First"), await make_team(coach, "Second")
    ada = await make_competitor(coach, "Ada Alder", team_id=first)
    ben = await make_competitor(coach, "Ben Birch")
    squad = await squad_of(coach)
    moves = squad.moves({ada: second, ben: first})
    await database.execute("delete from team_memberships where competitor_id = $1", ada)
    with pytest.raises(PlanOutdated):
        await team_plans.apply(reader_of(coach), coach.organization_id, moves)
    assert await memberships() == {} and await rows() == []
    assert await database.fetchval("select count(*) from audit_log") == 0


async def test_a_team_that_was_archived_meanwhile_stops_it_too(coach: Person) -> None:
    first = await make_team(coach, "First")
    ada, ben = await make_competitor(coach, "Ada Alder"), await make_competitor(coach, "Ben Birch")
    squad = await squad_of(coach)
    await database.execute("update teams set archived_at = now()")
    with pytest.raises(TeamError):
        await team_plans.apply(reader_of(coach), coach.organization_id, squad.moves({ada: first, ben: first}))
    assert await memberships() == {}


async def test_somebody_elses_plan_is_not_found(coach: Person) -> None:
    first, ada = await make_team(coach, "First"), await make_competitor(coach, "Ada Alder")
    moves = (await squad_of(coach)).moves({ada: first})
    other = await make_user(coach.organization_id, "coach", "Olga Oak")
    with pytest.raises(team_plans.NotFound):
        await team_plans.apply(reader_of(other), coach.organization_id, moves)
    assert await memberships() == {}


async def test_every_move_leaves_its_traces(coach: Person) -> None:
    first = await make_team(coach, "First")
    ada, ben = await make_competitor(coach, "Ada Alder"), await make_competitor(coach, "Ben Birch", team_id=first)
    await team_plans.apply(
        reader_of(coach), coach.organization_id, (await squad_of(coach)).moves({ada: first, ben: None})
    )
    audited = await database.fetch("select action, actor_id from audit_log")
    assert sorted(row["action"] for row in audited) == ["member.added", "member.removed", "team_plan.applied"]
    assert {row["actor_id"] for row in audited} == {coach.id}
    events = await database.fetch("select kind from activity_events")
    assert sorted(row["kind"] for row in events) == ["member_added", "member_removed"]
    assert {row["subject_id"] for row in await rows()} == {ada, ben}


async def test_two_who_apply_at_once_do_not_mix(coach: Person) -> None:
    """One plan wins; the other one is told, and nobody waits for ever."""
    first, second = await make_team(coach, "First"), await make_team(coach, "Second")
    people = [await make_competitor(coach, f"Player{number} Poplar") for number in range(6)]
    squad = await squad_of(coach)
    plans = [squad.moves(dict.fromkeys(people, first)), squad.moves(dict.fromkeys(reversed(people), second))]
    answers = await asyncio.gather(
        *(team_plans.apply(reader_of(coach), coach.organization_id, plan) for plan in plans), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["NoneType", "PlanOutdated"]
    assert len(set((await memberships()).values())) == 1 and len(await memberships()) == 6


async def test_whoever_has_a_change_on_its_way_is_where_both_sides_agreed_last(coach: Person) -> None:
    first = await make_team(coach, "First")
    ada = await make_competitor(coach, "Ada Alder")
    await teams.add_member(reader_of(coach), first, ada)
    await database.execute("update game_platform_sync_state set agreed_team = 'elsewhere', team_agreed_at = now()")
    [person] = (await squad_of(coach)).people
    assert (person.is_moving, person.there) == (True, "elsewhere")
    await database.execute("update outbox set state = 'sent'")
    await database.execute("update teams set game_platform_id = 'first'")
    await database.execute("update team_memberships set game_platform_synced_at = now()")
    [person] = (await squad_of(coach)).people
    assert (person.is_moving, person.there) == (False, "first")
