"""Looking for causes on real rows: one episode each, gone when its cause is, and told once to the right people."""

from uuid import UUID

import pytest

from app import database
from app.services.alerts import Evaluated
from app.services.job_runs import LeaseLost
from app.services.job_runs import keep as keep_claim
from tests.alerting import alert_of, evaluate, make_player, play
from tests.cast import Cast, Person, make_cast, make_competitor, make_user
from tests.services.platform import claim_again, claim_run
from tests.services.tuples import tuples_written, written_between


@pytest.fixture
async def cast() -> Cast:
    """Somebody who plays, somebody who stopped, and another coach's who stopped."""
    cast = await make_cast()
    await make_player(cast.coach_a, "Plays Poplar", team_id=cast.team_a)
    await make_player(cast.coach_a, "Stopped Spruce", team_id=cast.team_a, accessed_days=20, solved_days=25)
    await make_player(cast.coach_b, "Foreign Fir", team_id=cast.team_b, accessed_days=20, solved_days=25)
    return cast


async def id_of(first_name: str) -> UUID:
    found: UUID = await database.fetchval("select id from competitors where first_name = $1", first_name)
    return found


async def told(person: Person) -> list[str]:
    rows = await database.fetch(
        """select n.kind || ' ' || a.rule as text from notifications n join alerts a on a.id = n.alert_id
           where n.user_id = $1 order by n.id""",
        person.id,
    )
    return [row["text"] for row in rows]


async def events_of(competitor_id: UUID) -> list[str]:
    rows = await database.fetch(
        """select e.kind from alert_events e join alerts a on a.id = e.alert_id
           where a.competitor_id = $1 order by e.id""",
        competitor_id,
    )
    return [row["kind"] for row in rows]


async def test_evaluating_twice_opens_one_alert_and_writes_nothing_more(cast: Cast) -> None:
    first = await evaluate()
    assert first == Evaluated(people=3, opened=2, reopened=0, flapping=0, resolved=0, unknown=0, known_again=0)
    claim_before = await tuples_written()
    second = await evaluate()
    assert second.as_counts() == {**dict.fromkeys(first.as_counts(), 0), "people": 3}
    assert set(written_between(claim_before, await tuples_written())) <= {"job_runs"}
    alert = await alert_of(await id_of("Stopped"), "inactive")
    assert (alert["state"], alert["openings"], alert["owner_id"]) == ("open", 1, None)


async def test_the_coach_and_the_assistants_are_told_once_and_nobody_else(cast: Cast) -> None:
    assistant = await make_user(cast.organization_id, "coach", "Asa Assist")
    await database.execute(
        "insert into team_assistants (team_id, user_id) values ($1, $2)", cast.team_a, assistant.id
    )
    await evaluate()
    await evaluate()
    assert await told(cast.coach_a) == await told(assistant) == ["alert_opened inactive"]
    assert await told(cast.coach_b) == ["alert_opened inactive"]
    assert await told(cast.admin) == await told(cast.player) == []


async def test_an_alert_resolves_by_itself_when_its_cause_is_gone(cast: Cast) -> None:
    await evaluate()
    stopped = await id_of("Stopped")
    await play(stopped)
    assert (await evaluate()).resolved == 1
    alert = await alert_of(stopped, "inactive")
    assert alert["state"] == "resolved" and alert["resolved_at"]
    assert await told(cast.coach_a) == ["alert_opened inactive"]


async def test_a_frozen_sync_makes_every_inactive_unknown_and_tells_the_admins(cast: Cast) -> None:
    await evaluate()
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '30 hours'")
    counts = await evaluate()
    assert (counts.unknown, counts.opened, counts.resolved) == (2, 1, 0)
    alert = await alert_of(await id_of("Stopped"), "inactive")
    assert alert["state"] == "unknown" and alert["data_from"] is not None
    assert await told(cast.admin) == ["alert_opened stale_data"]
    assert (await evaluate()).as_counts() == {**dict.fromkeys(counts.as_counts(), 0), "people": 3}
    await database.execute("update game_platform_sync_state set last_success_at = now()")
    await play(await id_of("Stopped"))
    counts = await evaluate()
    assert (counts.known_again, counts.resolved) == (1, 2)
    assert await events_of(await id_of("Foreign")) == ["opened", "unknown", "known_again"]
    assert await told(cast.coach_b) == ["alert_opened inactive"]


async def test_on_stale_data_nobody_becomes_inactive(cast: Cast) -> None:
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '30 hours'")
    assert (await evaluate()).opened == 1
    assert await database.fetchval("select array_agg(rule) from alerts") == ["stale_data"]


async def test_a_cause_that_flaps_is_one_episode_with_one_more_notice(cast: Cast) -> None:
    stopped = await id_of("Stopped")
    for _ in range(5):
        await play(stopped, days=20)
        await evaluate()
        await play(stopped)
        await evaluate()
    alert = await alert_of(stopped, "inactive")
    assert (alert["openings"], alert["state"]) == (5, "resolved") and alert["flapping_since"]
    assert await told(cast.coach_a) == ["alert_opened inactive", "alert_flapping inactive"]
    assert (await events_of(stopped)).count("flapping") == 1


async def test_a_day_after_the_end_the_same_cause_is_a_new_episode(cast: Cast) -> None:
    stopped = await id_of("Stopped")
    await evaluate()
    await play(stopped)
    await evaluate()
    await database.execute("update alerts set resolved_at = now() - interval '25 hours' where state = 'resolved'")
    await play(stopped, days=20)
    assert (await evaluate()).opened == 1
    assert await told(cast.coach_a) == ["alert_opened inactive"] * 2


async def test_who_is_archived_needs_nobody(cast: Cast) -> None:
    await evaluate()
    await database.execute("update competitors set archived_at = now() where first_name = 'Stopped'")
    assert (await evaluate()).resolved == 1


async def test_a_muted_rule_is_told_on_the_page_and_never_by_mail(cast: Cast) -> None:
    await database.execute(
        """insert into notification_preferences (user_id, muted) values ($1, '["inactive"]')""", cast.coach_a.id
    )
    await evaluate()
    states = {row["user_id"]: row["mail_state"] for row in await database.fetch("select * from notifications")}
    assert states == {cast.coach_a.id: "suppressed", cast.coach_b.id: "waiting"}


async def test_who_has_no_address_is_told_on_the_page_only(cast: Cast) -> None:
    await database.execute("update users set email = null where id = $1", cast.coach_a.id)
    await evaluate()
    row = await database.fetchrow(
        "select mail_state, mail_reason from notifications where user_id = $1", cast.coach_a.id
    )
    assert row and tuple(row) == ("suppressed", "there is no e-mail address")


async def test_teams_differences_and_refusals_are_found_too(cast: Cast) -> None:
    await database.execute("update teams set game_platform_sync_error = 'no such team' where id = $1", cast.team_a)
    refused = await make_competitor(cast.coach_b, "Refused Rose", status="compliance")
    await database.execute("update competitors set game_platform_sync_error = 'e-mail taken' where id = $1", refused)
    await database.execute(
        """insert into drift (organization_id, competitor_id, subject_type, subject_id, field, ours, theirs)
           select organization_id, id, 'competitor', id::text, 'team', 'a', 'b' from competitors
           where first_name = 'Plays'"""
    )
    await evaluate()
    assert sorted(await told(cast.coach_a)) == [
        "alert_opened drift", "alert_opened inactive", "alert_opened sync_error"
    ]
    assert (await alert_of(refused, "onboarding_failed"))["reason"] == "e-mail taken"
    await database.execute("update drift set state = 'ignored'")
    await database.execute("update teams set game_platform_sync_error = null")
    assert (await evaluate()).resolved == 2


async def test_who_waits_for_approval_is_no_error(cast: Cast) -> None:
    waiting = await make_competitor(cast.coach_b, "Waiting Wanda", team_id=cast.team_b)
    await database.execute("update competitors set metactf_user_status = 'pending_approval' where id = $1", waiting)
    await database.execute("update team_memberships set game_platform_sync_error = 'no approved account yet'")
    await evaluate()
    assert await database.fetchval("select count(*) from alerts where competitor_id = $1", waiting) == 0


async def test_who_missed_the_flash_ctf_that_others_played(cast: Cast) -> None:
    await database.execute(
        """insert into game_platform_flash_ctfs (event_id, name, started_at, last_solved_at)
           values ('spring', 'Spring Flash', now() - interval '5 days', now() - interval '4 days')"""
    )
    await database.execute("update game_platform_sync_state set last_flash_ctf_synced_at = now()")
    assert await database.fetchval("select count(*) from alerts") == 0
    await database.execute(
        """insert into game_platform_flash_ctf_events (competitor_id, syned_user_id, event_id, challenges_solved)
           select id, game_platform_id, 'spring', 2 from competitors where first_name = 'Plays'"""
    )
    await evaluate()
    missed = await database.fetch("select competitor_id from alerts where rule = 'missed_flash_ctf'")
    assert {row["competitor_id"] for row in missed} == {await id_of("Stopped"), await id_of("Foreign")}


async def test_a_run_that_lost_its_claim_opens_nothing(cast: Cast) -> None:
    from app.services import alerts

    claim = await claim_run("alerts_evaluate")
    newer = await claim_again(claim)
    with pytest.raises(LeaseLost):
        await alerts.evaluate(claim)
    assert await database.fetchval("select count(*) from alerts") == 0
    async with database.transaction():
        await keep_claim(newer)


async def test_a_break_of_the_season_adds_nothing_to_inactivity(cast: Cast) -> None:
    await database.execute(
        """insert into calendar_breaks (organization_id, first_day, last_day, name)
           values ($1, current_date - 18, current_date - 2, 'Spring break')""",
        cast.organization_id,
    )
    assert (await evaluate()).opened == 0
