"""Buttons, counts and the report of a run, over what the real services left in the tables."""

from uuid import UUID, uuid4

from app import database
from app.domain.competitor_list import View
from app.domain.readers import Sight
from app.queries import onboarding as queries
from app.queries.funnel import get_funnel
from app.queries.onboarding import CoachWaiting
from app.services import onboarding
from tests.cast import Person, make_competitor, make_team, make_user
from tests.services.conftest import coach, platform, sandbox_process
from tests.services.platform import Platform, claim_run

__all__ = ["coach", "platform", "sandbox_process"]

EVERYONE = Sight(sees_everyone=True)


def sight_of(person: Person, *assisted: UUID) -> Sight:
    return Sight(coach_id=person.id, assisted_team_ids=assisted)


async def ready(coach: Person, name: str, **options: object) -> UUID:
    return await make_competitor(coach, name, status="compliance", **options)  # type: ignore[arg-type]


async def run(platform: Platform, *competitor_ids: UUID) -> UUID:
    """A run that was asked for these; its id."""
    claim = await claim_run("game_platform_onboarding")
    await database.execute(
        "update job_runs set payload = jsonb_build_object('competitor_ids', $2::uuid[]) where id = $1",
        claim.run_id, list(competitor_ids),
    )
    async with platform.client(claim) as client:
        await onboarding.onboard(claim, client, competitor_ids=list(competitor_ids))
    return claim.run_id


async def outcomes(run_id: UUID, sight: Sight = EVERYONE) -> dict[str, tuple[str, str]]:
    return {row.name: (row.outcome, row.reason) for row in await queries.report(sight, run_id)}


async def test_each_row_of_a_run_says_what_became_of_it(platform: Platform, coach: Person) -> None:
    ids = [await ready(coach, name) for name in ("Ada Alder", "Ben Birch", "Cleo Cherry", "Dora Dogwood")]
    await platform.tell("/users", {"syned_user_id": str(ids[1])})
    await platform.tell("/users", {"syned_user_id": str(ids[2]), "status": "pending_approval"})
    await platform.tell("/users", {"syned_user_id": "somebody", "email": "taken@example.org"})
    await database.execute("update competitors set email = 'taken@example.org' where id = $1", ids[3])
    found = await outcomes(await run(platform, *ids))
    assert list(found) == ["Ada Alder", "Ben Birch", "Cleo Cherry", "Dora Dogwood"]
    assert [outcome for outcome, _ in found.values()] == ["added", "already there", "waiting", "refused"]
    assert found["Cleo Cherry"][1] == "Waiting for the platform's approval"
    assert "already exists" in found["Dora Dogwood"][1]


async def test_a_second_run_over_the_same_says_what_was_there_and_does_the_rest(
    platform: Platform, coach: Person
) -> None:
    ids = [await ready(coach, name) for name in ("Ada Alder", "Ben Birch")]
    await platform.fail(kind="server_error", operation="create_user", users=[str(ids[1])])
    first = await outcomes(await run(platform, *ids))
    assert (first["Ada Alder"], first["Ben Birch"][0]) == (("added", ""), "waiting")
    assert "could not be asked" in first["Ben Birch"][1]
    await platform.heal()
    second = await outcomes(await run(platform, *ids))
    assert (second["Ada Alder"][0], second["Ben Birch"][0]) == ("already there", "added")
    assert sorted(await platform.created()) == sorted(map(str, (coach.id, *ids)))


async def test_a_run_that_has_not_come_to_somebody_is_adding_them(coach: Person) -> None:
    competitor_id = await ready(coach, "Ada Alder")
    claim = await claim_run("game_platform_onboarding")
    await database.execute(
        "update job_runs set payload = jsonb_build_object('competitor_ids', $1::uuid[])", [competitor_id]
    )
    assert await outcomes(claim.run_id) == {"Ada Alder": ("adding", "")}
    await database.execute("update job_runs set state = 'failed'")
    assert (await outcomes(claim.run_id))["Ada Alder"] == ("waiting", queries.NOT_REACHED)


async def test_a_run_over_everybody_reports_whom_it_changed(platform: Platform, coach: Person) -> None:
    await ready(coach, "Ada Alder")
    await make_competitor(coach, "Ben Birch")
    claim = await claim_run("game_platform_onboarding")
    async with platform.client(claim) as client:
        await onboarding.onboard(claim, client)
    assert await outcomes(claim.run_id) == {"Ada Alder": ("added", "")}


async def test_a_coach_sees_only_their_own_rows(platform: Platform, coach: Person) -> None:
    other = await make_user(coach.organization_id, "coach", "Otto Oak")
    team_id = await make_team(other, "Firewall")
    own, foreign = await ready(coach, "Ada Alder"), await ready(other, "Ben Birch", team_id=team_id)
    run_id = await run(platform, own, foreign)
    assert list(await outcomes(run_id, sight_of(coach))) == ["Ada Alder"]
    assert list(await outcomes(run_id, sight_of(coach, team_id))) == ["Ada Alder", "Ben Birch"]
    assert set(await queries.buttons(sight_of(coach), [own, foreign, uuid4()])) == {own}
    assert [stage.count for stage in (await get_funnel(View(), sight_of(coach))).stages] == [0, 0, 0, 1]
    assert [stage.count for stage in (await get_funnel(View(), EVERYONE)).stages] == [0, 0, 0, 2]


async def test_a_button_follows_what_happened(platform: Platform, coach: Person) -> None:
    competitor_id = await ready(coach, "Ada Alder")
    seen = [(await queries.buttons(EVERYONE, [competitor_id]))[competitor_id].state]
    await platform.tell("/users", {"syned_user_id": str(coach.id), "role": "coach", "status": "pending_approval"})
    await run(platform, competitor_id)
    held = (await queries.buttons(EVERYONE, [competitor_id]))[competitor_id]
    assert held.since is not None
    await platform.approve(str(coach.id))
    await run(platform, competitor_id)
    seen += [held.state, (await queries.buttons(EVERYONE, [competitor_id]))[competitor_id].state]
    assert seen == ["ready", "waiting", "done"]


async def test_who_waits_is_counted_per_coach(platform: Platform, coach: Person) -> None:
    other = await make_user(coach.organization_id, "coach", "Otto Oak")
    await make_user(coach.organization_id, "coach", "Nina Nobody")
    ids = [await ready(coach, f"Player{n} Poplar") for n in range(3)]
    await platform.tell("/users", {"syned_user_id": str(ids[0]), "status": "user_created"})
    await platform.tell("/users", {"syned_user_id": str(ids[1]), "status": "denied"})
    for n in range(2):
        await ready(other, f"Held{n} Hazel")
    await ready(other, "Without Consent", data_consent=False)
    await platform.tell("/users", {"syned_user_id": str(other.id), "role": "coach", "status": "pending_approval"})
    claim = await claim_run("game_platform_onboarding")
    async with platform.client(claim) as client:
        await onboarding.onboard(claim, client)
    assert await queries.waiting_by_coach(EVERYONE) == (
        CoachWaiting(coach.id, "Cora Cedar", waiting=1, denied=1, held_back=0),
        CoachWaiting(other.id, "Otto Oak", waiting=0, denied=0, held_back=2),
    )
    assert [row.coach_id for row in await queries.waiting_by_coach(sight_of(other))] == [other.id]


async def test_the_funnel_counts_everybody_once_and_the_papers_beside(coach: Person) -> None:
    for status in ("pending", "profile", "compliance", "complete"):
        await make_competitor(coach, "Ada Alder", status=status, data_consent=status != "compliance")
    playing = await make_competitor(coach, "Ben Birch", status="profile")
    await database.execute(
        "update competitors set game_platform_id = 'ben', metactf_user_status = 'approved' where id = $1", playing
    )
    archived = await make_competitor(coach, "Cleo Cherry")
    await database.execute("update competitors set archived_at = now() where id = $1", archived)
    funnel = await get_funnel(View(), EVERYONE)
    assert [stage.count for stage in funnel.stages] == [1, 2, 1, 1]
    assert [(trouble.name, trouble.count) for trouble in funnel.troubles] == [
        ("without_papers", 1), ("without_consent", 1)
    ]
