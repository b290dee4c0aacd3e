"""What a coach does to teams here: who may, what is refused in words, and the traces that each change leaves."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from app import database
from app.domain import platform_limits
from app.services import team_endings, teams
from app.services.teams import NotFound, TeamError
from tests.cast import Person, make_cast, make_competitor, make_team, make_user
from tests.services.team_pushes import AFFILIATION, membership_row, reader_of, row_of, rows, states, team_row


async def create(coach: Person, name: str = "Firewall", division: str = "high_school") -> UUID:
    return await teams.create(reader_of(coach), name=name, division=division, affiliation=AFFILIATION)


async def on_the_platform(team_id: UUID) -> None:
    await database.execute(
        """update teams set game_platform_id = id::text, game_platform_synced_at = now(), game_platform_name = name
           where id = $1""",
        team_id,
    )


async def traces() -> tuple[list[str], list[str]]:
    audited = await database.fetch("select action from audit_log order by id")
    happened = await database.fetch("select kind from activity_events order by id")
    return [row["action"] for row in audited], [row["kind"] for row in happened]


async def test_a_new_team_is_committed_with_its_traces_and_its_push(coach: Person) -> None:
    team_id = await create(coach, "  Fire   wall ")
    team = await team_row(team_id)
    assert (team["name"], team["coach_id"], team["organization_id"]) == ("Fire wall", coach.id, coach.organization_id)
    assert await states() == [("team", "waiting")] and (await row_of("team"))["actor_id"] == coach.id
    assert await traces() == (["team.created"], ["team_created"])
    assert await database.fetchval("select is_stale from standing_versions")


@pytest.mark.parametrize(("change", "field"), [
    ({"name": ""}, "name"), ({"name": "x" * 101}, "name"), ({"name": "a\x00b"}, "name"),
    ({"affiliation": " "}, "affiliation"), ({"division": "kindergarten"}, "division"),
])
async def test_bad_values_are_refused_at_their_field(coach: Person, change: dict[str, str], field: str) -> None:
    wanted: dict[str, Any] = {"name": "Firewall", "division": "high_school", "affiliation": AFFILIATION} | change
    with pytest.raises(TeamError) as refused:
        await teams.create(reader_of(coach), **wanted)
    assert refused.value.field == field and await rows() == []


async def test_a_double_click_makes_one_team(coach: Person) -> None:
    answers = await asyncio.gather(create(coach), create(coach), return_exceptions=True)
    assert [type(answer) for answer in sorted(answers, key=str)].count(TeamError) == 1
    assert await database.fetchval("select count(*) from teams") == 1 and await states() == [("team", "waiting")]


async def test_an_admin_names_the_coach_and_a_player_makes_none() -> None:
    cast = await make_cast()
    wanted: dict[str, Any] = {"name": "Honeypot", "division": "college", "affiliation": AFFILIATION}
    with pytest.raises(TeamError, match="Choose the coach"):
        await teams.create(reader_of(cast.admin), **wanted)
    team_id = await teams.create(reader_of(cast.admin), **wanted, coach_id=cast.coach_b.id)
    assert (await team_row(team_id))["coach_id"] == cast.coach_b.id
    with pytest.raises(NotFound):
        await teams.create(reader_of(cast.player), **wanted)


async def test_a_coach_cannot_hand_a_team_to_another_coach() -> None:
    cast = await make_cast()
    team_id = await teams.create(
        reader_of(cast.coach_a), name="Honeypot", division="college", affiliation="x", coach_id=cast.coach_b.id
    )
    assert (await team_row(team_id))["coach_id"] == cast.coach_a.id


async def test_a_rename_stays_here_and_says_so(coach: Person) -> None:
    team_id = await create(coach)
    assert await teams.rename(reader_of(coach), team_id, "Backdoor") is None
    await on_the_platform(team_id)
    assert await teams.rename(reader_of(coach), team_id, "Honeypot") == platform_limits.RENAME_TEAM
    team = await team_row(team_id)
    assert (team["name"], team["game_platform_name"]) == ("Honeypot", "Backdoor")
    assert [row["asked"] for row in await rows()] == [1]
    assert (await traces())[0] == ["team.created", "team.renamed", "team.renamed"]


async def test_a_name_that_the_coach_uses_already_is_refused(coach: Person) -> None:
    await create(coach, "Backdoor")
    team_id = await create(coach)
    with pytest.raises(TeamError, match="already"):
        await teams.rename(reader_of(coach), team_id, "BACKDOOR")


async def test_division_and_affiliation_change_only_before_the_platform_has_the_team(coach: Person) -> None:
    team_id = await create(coach)
    await teams.edit(reader_of(coach), team_id, division="college", affiliation="Example College")
    assert (await team_row(team_id))["division"] == "college" and (await row_of("team"))["asked"] == 2
    await on_the_platform(team_id)
    with pytest.raises(TeamError, match="cannot change a team's division"):
        await teams.edit(reader_of(coach), team_id, division="high_school", affiliation="Example College")


async def test_members_hold_the_division(coach: Person) -> None:
    team_id = await create(coach)
    await teams.add_member(reader_of(coach), team_id, await make_competitor(coach, "Ada Alder"))
    with pytest.raises(TeamError, match="1 of the members are in another division"):
        await teams.edit(reader_of(coach), team_id, division="college", affiliation=AFFILIATION)


async def test_a_member_moves_from_the_other_team(coach: Person) -> None:
    first, second = await create(coach), await create(coach, "Backdoor")
    ada = await make_competitor(coach, "Ada Alder")
    await teams.add_member(reader_of(coach), first, ada)
    await database.execute("update team_memberships set game_platform_synced_at = now()")
    await teams.add_member(reader_of(coach), second, ada)
    membership = await membership_row(ada)
    assert (membership["team_id"], membership["game_platform_synced_at"]) == (second, None)
    assert (await row_of("membership"))["subject_id"] == ada and (await row_of("membership"))["asked"] == 2


async def test_clicking_twice_changes_once(coach: Person) -> None:
    team_id = await create(coach)
    ada = await make_competitor(coach, "Ada Alder")
    reader = reader_of(coach)
    await asyncio.gather(*(teams.add_member(reader, team_id, ada) for _ in range(3)))
    assert (await row_of("membership"))["asked"] == 1
    await asyncio.gather(*(teams.remove_member(reader, team_id, ada) for _ in range(3)))
    assert (await row_of("membership"))["asked"] == 2
    assert (await traces())[0] == ["team.created", "member.added", "member.removed"]
    await asyncio.gather(*(team_endings.delete(reader, team_id) for _ in range(3)), return_exceptions=True)
    assert (await traces())[0].count("team.closed") == 1


async def test_who_does_not_fit_is_refused_in_words(coach: Person) -> None:
    team_id = await create(coach)
    reader = reader_of(coach)
    college = await make_competitor(coach, "Cleo Cherry", division="college")
    with pytest.raises(TeamError, match="for the division high school"):
        await teams.add_member(reader, team_id, college)
    archived = await make_competitor(coach, "Ada Alder")
    await database.execute("update competitors set archived_at = now() where id = $1", archived)
    with pytest.raises(TeamError, match="archived"):
        await teams.add_member(reader, team_id, archived)
    other = await make_user(coach.organization_id, "coach", "Otto Oak")
    theirs = await make_competitor(other, "Ben Birch")
    admin = await make_user(coach.organization_id, "admin", "Alma Admin")
    with pytest.raises(TeamError, match="another coach"):
        await teams.add_member(reader_of(admin), team_id, theirs)


async def test_what_is_not_the_readers_is_not_there() -> None:
    cast = await make_cast()
    stranger = reader_of(cast.coach_b)
    mine, theirs = await make_competitor(cast.coach_b, "Ben Birch"), await make_competitor(cast.coach_a, "Ada Alder")
    for change in (
        teams.rename(stranger, cast.team_a, "Mine"), team_endings.archive(stranger, cast.team_a),
        team_endings.delete(stranger, cast.team_a), teams.add_member(stranger, cast.team_a, mine),
        teams.add_member(stranger, cast.team_b, theirs), teams.remove_member(stranger, cast.team_a, theirs),
        teams.edit(stranger, cast.team_a, division="college", affiliation="x"),
        teams.rename(reader_of(cast.player), cast.team_a, "Mine"), teams.rename(stranger, uuid4(), "Mine"),
    ):
        with pytest.raises(NotFound):
            await change
    assert await rows() == [] and await traces() == ([], [])


async def test_an_assistant_may_change_the_team_they_assist() -> None:
    cast = await make_cast()
    assert await teams.rename(reader_of(cast.coach_b, cast.team_a), cast.team_a, "Sandbox") is None


async def test_a_team_with_members_is_not_deleted(coach: Person) -> None:
    team_id = await create(coach)
    await teams.add_member(reader_of(coach), team_id, await make_competitor(coach, "Ada Alder"))
    with pytest.raises(TeamError, match="still has members"):
        await team_endings.delete(reader_of(coach), team_id)
    assert (await team_row(team_id))["closed_at"] is None


async def test_a_closed_team_takes_nobody_and_no_change(
    coach: Person, settings_changed: pytest.MonkeyPatch
) -> None:
    settings_changed.setenv("GAME_PLATFORM_API_TOKEN", "a-token")
    team_id = await create(coach)
    reader = reader_of(coach)
    await team_endings.delete(reader, team_id)
    assert await states() == [("team", "discarded"), ("team_deletion", "waiting")]
    ada = await make_competitor(coach, "Ada Alder")
    for change in (
        teams.add_member(reader, team_id, ada), teams.rename(reader, team_id, "x"),
        team_endings.archive(reader, team_id),
    ):
        with pytest.raises(TeamError, match="being deleted"):
            await change


async def test_without_the_platform_a_team_goes_at_once(coach: Person) -> None:
    team_id = await create(coach)
    await team_endings.delete(reader_of(coach), team_id)
    assert await database.fetchval("select count(*) from teams") == 0
    assert await states() == [("team", "discarded")]


async def test_an_archived_team_stays_and_cannot_be_changed(coach: Person) -> None:
    team_id = await make_team(coach, "Firewall")
    reader = reader_of(coach)
    await team_endings.archive(reader, team_id)
    await team_endings.archive(reader, team_id)
    assert (await traces())[0] == ["team.archived"]
    with pytest.raises(TeamError, match="archived"):
        await teams.rename(reader, team_id, "Other")
