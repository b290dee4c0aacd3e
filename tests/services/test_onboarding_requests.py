"""Asking for competitors to be added: one, a selection, or nobody who is not the reader's."""

import asyncio
import itertools
from uuid import UUID, uuid4

import pytest

from app import database
from app.domain.readers import Reader, Sight
from app.services import flags, onboarding
from app.services.onboarding import Added, NotFound, add_to_platform
from app.settings import get_settings
from tests.cast import Person, make_competitor, make_team, make_user
from tests.services.platform import Platform
from tests.services.test_onboarding import competitor, disclosed, ready, run


@pytest.fixture(autouse=True)
def configured(settings_changed: pytest.MonkeyPatch) -> None:
    settings_changed.setenv("GAME_PLATFORM_ENABLED", "true")


def reader_for(person: Person, *assisted: UUID) -> Reader:
    return Reader(
        user_id=person.id, session_id=uuid4(), role=person.role, name="Cora Cedar", time_zone="UTC", theme="system",
        organization_ids=(person.organization_id,),
        sight=Sight(sees_everyone=person.role == "admin", coach_id=person.id, assisted_team_ids=assisted),
    )


async def run_asked(platform: Platform, added: Added) -> onboarding.OnboardingResult:
    return await run(platform, competitor_ids=list(added.taken))


async def settings(**changes: object) -> None:
    for column, value in changes.items():
        await database.execute(f"update organizations set {column} = $1", value)


async def test_one_is_added_and_the_wish_is_gone(platform: Platform, coach: Person) -> None:
    competitor_id = await ready(coach)
    added = await add_to_platform(reader_for(coach), [competitor_id])
    assert (added.taken, added.refused) == ((competitor_id,), ())
    asked = await database.fetchrow("select id, kind, trigger, triggered_by, payload from job_runs")
    assert asked is not None
    assert (asked["id"], asked["kind"], asked["trigger"], asked["triggered_by"]) == (
        added.run_id, "game_platform_onboarding", "user", coach.id,
    )
    assert str(competitor_id) in asked["payload"] and "Ada" not in asked["payload"]
    assert (await competitor(competitor_id))["onboarding_asked_at"]
    assert (await run_asked(platform, added)).added == 1
    assert (await competitor(competitor_id))["onboarding_asked_at"] is None
    assert await database.fetchval("select actor_id from audit_log where action = 'competitors.onboarding_asked'")


async def test_each_row_that_cannot_be_taken_says_what_is_missing(coach: Person) -> None:
    good = await ready(coach, "Ada Alder")
    unsigned = await make_competitor(coach, "Ben Birch", status="profile")
    await database.execute("update competitors set release_signed = true where id = $1", unsigned)
    minor = await ready(coach, "Cleo Cherry", data_consent=False)
    nameless = await make_competitor(coach, "Dora", status="pending")
    there = await make_competitor(coach, "Eva Elm")
    added = await add_to_platform(reader_for(coach), [good, unsigned, minor, nameless, there, good])
    assert added.taken == (good,)
    assert dict(added.refused) == {
        unsigned: "Needs: signed agreement.", minor: "Needs: data consent.", nameless: "Needs: last name.",
        there: "On the Game Platform already.",
    }


async def test_a_foreign_id_among_ones_own_refuses_the_whole_request(coach: Person) -> None:
    other = await make_user(coach.organization_id, "coach", "Otto Oak")
    own, foreign = await ready(coach, "Ada Alder"), await ready(other, "Ben Birch")
    for ids in ([own, foreign], [own, uuid4()], [foreign]):
        with pytest.raises(NotFound):
            await add_to_platform(reader_for(coach), ids)
    assert await database.fetchval("select count(*) from job_runs") == 0
    assert await database.fetchval("select count(*) from competitors where onboarding_asked_at is not null") == 0


async def test_an_assistant_and_an_admin_see_more(coach: Person) -> None:
    other = await make_user(coach.organization_id, "coach", "Otto Oak")
    team_id = await make_team(other, "Firewall")
    competitor_id = await ready(other, "Ada Alder", team_id=team_id)
    admin = await make_user(coach.organization_id, "admin", "Alma Admin")
    for reader in (reader_for(coach, team_id), reader_for(admin)):
        assert (await add_to_platform(reader, [competitor_id])).taken == (competitor_id,)


async def test_an_archived_competitor_is_refused_and_holds_nobody_back(coach: Person) -> None:
    archived, other = await ready(coach), await ready(coach)
    await database.execute("update competitors set archived_at = now() where id = $1", archived)
    added = await add_to_platform(reader_for(coach), [archived, other])
    assert added.taken == (other,) and added.refused == ((archived, "Archived. Bring them back first."),)


async def test_more_than_the_organization_adds_at_once_are_told_to_wait(coach: Person) -> None:
    people = sorted([await ready(coach) for _ in range(3)])
    await settings(additions_at_once=2)
    added = await add_to_platform(reader_for(coach), people)
    assert added.taken == tuple(people[:2])
    assert added.refused == ((people[2], "Only 2 are added at once. Add this one after them."),)
    rest = await add_to_platform(reader_for(coach), [people[2]])
    assert rest.taken == (people[2],)


async def test_asking_twice_is_the_same_run(coach: Person) -> None:
    competitor_id = await ready(coach)
    first, second = [await add_to_platform(reader_for(coach), [competitor_id]) for _ in range(2)]
    assert first.run_id == second.run_id


async def test_where_it_is_switched_off_nobody_is_added(coach: Person, settings_changed: pytest.MonkeyPatch) -> None:
    competitor_id = await ready(coach)
    await flags.set_flag(
        "game_platform.onboarding", False, organization_id=coach.organization_id, actor=None, actor_label="test"
    )
    added = await add_to_platform(reader_for(coach), [competitor_id])
    assert (added.run_id, added.taken) == (None, ()) and "switched off" in added.refused[0][1]


async def test_a_league_may_play_before_the_papers_are_in(platform: Platform, coach: Person) -> None:
    await settings(onboarding_status="profile")
    competitor_id = await make_competitor(coach, "Ada Alder", status="profile")
    assert (await run(platform)).added == 1
    row = await competitor(competitor_id)
    assert (row["status"], row["metactf_user_status"]) == ("profile", "approved")
    assert (await run(platform)).as_counts()["total"] == 0


async def test_where_people_are_added_by_hand_only_the_named_are_taken(platform: Platform, coach: Person) -> None:
    await settings(automatic_onboarding=False)
    asked, other = await ready(coach, "Ada Alder"), await ready(coach, "Ben Birch")
    assert (await run(platform)).as_counts()["total"] == 0
    await add_to_platform(reader_for(coach), [asked])
    assert (await run(platform)).added == 1
    assert (await competitor(asked))["status"] == "complete"
    assert (await run(platform, competitor_ids=[other])).added == 1


async def test_a_wish_outlives_a_coach_who_waits(platform: Platform, coach: Person) -> None:
    """Added by hand, held back by the coach: once the coach is approved nobody has to press again."""
    await settings(automatic_onboarding=False)
    competitor_id = await ready(coach)
    await platform.tell("/users", {"syned_user_id": str(coach.id), "role": "coach", "status": "pending_approval"})
    assert (await run_asked(platform, await add_to_platform(reader_for(coach), [competitor_id]))).waiting == 1
    await platform.approve(str(coach.id))
    assert (await run(platform)).added == 1


async def test_whom_the_platform_refused_is_not_sent_again_before_something_changed(
    platform: Platform, coach: Person
) -> None:
    competitor_id = await ready(coach)
    await database.execute("update competitors set email = 'taken@example.org'")
    await platform.tell("/users", {"syned_user_id": "somebody", "email": "taken@example.org"})
    assert (await run(platform)).refused == 1
    error = (await competitor(competitor_id))["game_platform_sync_error"]
    assert error.startswith("Refused by the Game Platform: User with this email")
    assert (await run(platform)).as_counts()["total"] == 0
    assert (await run_asked(platform, await add_to_platform(reader_for(coach), [competitor_id]))).refused == 1
    assert (await competitor(competitor_id))["onboarding_asked_at"] is None
    assert len(await disclosed()) == 2
    await database.execute("update competitors set email = 'free@example.org', updated_at = now()")
    assert (await run(platform)).added == 1


@pytest.mark.parametrize("status", ["compliance", "profile"])
@pytest.mark.parametrize("automatic", [True, False])
async def test_nothing_leaves_for_a_minor_without_consent_whatever_the_setting(
    platform: Platform, coach: Person, status: str, automatic: bool
) -> None:
    await settings(onboarding_status=status, automatic_onboarding=automatic)
    people = {}
    for division, consent, papers, named in itertools.product(
        ("middle_school", "high_school", "college"), (True, False), ("profile", "compliance"), (None, "theirs")
    ):
        competitor_id = await make_competitor(
            coach, "Ada Alder", division=division, status=papers, data_consent=consent
        )
        account = f"{named}-{competitor_id}" if named else None
        await database.execute("update competitors set game_platform_id = $2 where id = $1", competitor_id, account)
        people[competitor_id] = (division, consent, account)
    await add_to_platform(reader_for(coach), list(people))
    await run(platform)
    await run(platform, competitor_ids=list(people))
    asked = {call["syned_user_id"] for call in await platform.hear("/calls")}
    for competitor_id, (division, consent, account) in people.items():
        if division != "college" and not consent:
            assert asked.isdisjoint({str(competitor_id), account})
            assert competitor_id not in await disclosed()
    assert len(await platform.created()) > 1


async def test_a_consent_taken_back_during_the_run_holds(platform: Platform, coach: Person) -> None:
    competitor_id = await ready(coach)
    await platform.fail(kind="latency", operation="get_user", users=[str(competitor_id)], seconds=0.8)
    work = asyncio.create_task(run(platform))
    await asyncio.sleep(0.4)
    assert str(competitor_id) in {call["syned_user_id"] for call in await platform.calls("get_user")}
    await database.execute("update competitors set data_consent = false")
    assert (await work).refused == 1
    assert await platform.created() == [str(coach.id)]
    assert await disclosed() == []
    await platform.heal()


async def test_an_id_of_our_own_in_the_roster_goes_round_no_rule(platform: Platform, coach: Person) -> None:
    competitor_id = await make_competitor(coach, "Ada Alder", status="profile")
    await database.execute("update competitors set game_platform_id = id::text")
    assert (await run(platform)).refused == 1
    assert await platform.created() == [str(coach.id)]
    assert "Needs: signed release" in (await competitor(competitor_id))["game_platform_sync_error"]


async def test_a_follow_up_where_the_platform_is_off_is_nothing(settings_changed: pytest.MonkeyPatch) -> None:
    settings_changed.setenv("GAME_PLATFORM_ENABLED", "false")
    get_settings.cache_clear()
    await onboarding.follow_change()
    assert await database.fetchval("select count(*) from job_runs") == 0
