"""Password mails of the Game Platform: where it offers them, where it does not, and not too many."""

from uuid import UUID, uuid4

import pytest

from app import database
from app.features import FeatureOff, read_flags
from app.queries.password_help import last_mail
from app.queue import BadPayload, enqueue
from app.services import flags, password_help
from app.services.password_help import NotFound, PasswordHelpError
from app.tables.jobs import Trigger
from tests.cast import Person, make_competitor, make_user
from tests.services.platform import Platform, claim_run, make_onboarded
from tests.services.test_onboarding_requests import reader_for


async def switch(enabled: bool) -> None:
    await flags.set_flag("game_platform.password_help", enabled, actor=None, actor_label="test")


@pytest.fixture(autouse=True)
async def switched_on(settings_changed: pytest.MonkeyPatch) -> None:
    settings_changed.setenv("GAME_PLATFORM_ENABLED", "true")
    await switch(True)


@pytest.fixture
async def offering(platform: Platform) -> Platform:
    await platform.tell("/password-help", {"is_offered": True})
    return platform


async def send(platform: Platform) -> dict[str, int]:
    """The worker takes what was asked for."""
    request_id = await database.fetchval("select id from password_help_requests where state = 'asked'")
    claim = await claim_run("game_platform_password_help")
    async with platform.client(claim) as client:
        return await password_help.send(claim, client, request_id)


async def ask_and_send(platform: Platform, coach: Person, competitor_id: UUID) -> tuple[str, str]:
    await password_help.ask(reader_for(coach), competitor_id)
    await send(platform)
    mail = await last_mail(reader_for(coach).sight, competitor_id)
    assert mail is not None
    return mail.state, mail.message


async def mails(platform: Platform) -> list[str]:
    return [told["syned_user_id"] for told in await platform.hear("/effects") if told["what"] == "password_mail_sent"]


async def forget() -> None:
    """Time goes by."""
    await database.execute("update password_help_requests set asked_at = asked_at - make_interval(mins => 16)")


async def test_it_waits_for_an_admin_to_switch_it_on(platform: Platform, coach: Person) -> None:
    competitor_id, _ = await make_onboarded(platform, coach, "Ada Alder")
    await database.execute("delete from feature_flags")
    assert not await password_help.is_offered(await read_flags(), coach.organization_id)
    with pytest.raises(FeatureOff):
        await password_help.ask(reader_for(coach), competitor_id)
    assert await database.fetchval("select count(*) from password_help_requests") == 0


async def test_a_mail_is_sent_once_with_its_traces(offering: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(offering, coach, "Ada Alder")
    state, message = await ask_and_send(offering, coach, competitor_id)
    assert (state, "sent a mail" in message) == ("sent", True)
    assert await mails(offering) == [syned_user_id]
    run = await database.fetchrow("select kind, triggered_by, payload from job_runs where trigger = 'user'")
    assert run is not None and (run["kind"], run["triggered_by"]) == ("game_platform_password_help", coach.id)
    assert str(competitor_id) not in run["payload"]
    actions = await database.fetch("select action, actor_id from audit_log where action like 'password_help.%'")
    assert [tuple(row) for row in actions] == [("password_help.asked", coach.id), ("password_help.answered", None)]
    row = await database.fetchrow("select competitor_id, fields from disclosure_log")
    assert row is not None and tuple(row) == (competitor_id, ["game_platform_id"])


async def test_not_offered_is_remembered_until_the_feature_is_switched_again(
    platform: Platform, coach: Person
) -> None:
    first, _ = await make_onboarded(platform, coach, "Ada Alder")
    second, _ = await make_onboarded(platform, coach, "Ben Birch")
    assert await password_help.is_offered(await read_flags(), coach.organization_id)
    assert await ask_and_send(platform, coach, first) == ("not_offered", "The Game Platform does not offer this.")
    assert not await password_help.is_offered(await read_flags(), coach.organization_id)
    with pytest.raises(PasswordHelpError, match="does not offer this"):
        await password_help.ask(reader_for(coach), second)
    assert len(await platform.calls("send_password_mail")) == 1
    await switch(True)
    assert await password_help.is_offered(await read_flags(), coach.organization_id)


async def test_an_account_that_the_platform_does_not_know_is_not_a_missing_offer(
    offering: Platform, coach: Person
) -> None:
    competitor_id, syned_user_id = await make_onboarded(offering, coach, "Ada Alder")
    await offering.approve(syned_user_id, "denied")
    state, message = await ask_and_send(offering, coach, competitor_id)
    assert (state, message) == ("refused", "Refused by the Game Platform: User not found or not approved.")
    assert await password_help.is_offered(await read_flags(), coach.organization_id)


@pytest.mark.parametrize(("after_effect", "sent"), [(True, 1), (False, 0)])
async def test_a_lost_answer_is_not_asked_for_twice(
    offering: Platform, coach: Person, after_effect: bool, sent: int
) -> None:
    competitor_id, _ = await make_onboarded(offering, coach, "Ada Alder")
    await offering.fail(kind="reset", operation="send_password_mail", count=1, after_effect=after_effect)
    state, message = await ask_and_send(offering, coach, competitor_id)
    assert state == "uncertain" and "may be on its way" in message
    assert len(await mails(offering)) == sent
    assert await send(offering) == {"total": 0}
    await offering.heal()


async def test_a_platform_that_is_away_may_be_asked_again_at_once(offering: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(offering, coach, "Ada Alder")
    await offering.fail(kind="rate_limited", operation="send_password_mail", retry_after=900)
    state, message = await ask_and_send(offering, coach, competitor_id)
    assert state == "failed" and "could not be asked" in message
    assert await database.fetchval("select count(*) from disclosure_log") == 0
    await offering.heal()
    assert (await ask_and_send(offering, coach, competitor_id))[0] == "sent"
    assert await mails(offering) == [syned_user_id]


async def test_nobody_is_asked_for_whose_consent_is_gone(offering: Platform, coach: Person) -> None:
    competitor_id, _ = await make_onboarded(offering, coach, "Ada Alder")
    await password_help.ask(reader_for(coach), competitor_id)
    await database.execute("update competitors set data_consent = false")
    assert await send(offering) == {"total": 1, "refused": 1}
    assert await offering.calls("send_password_mail") == []
    with pytest.raises(PasswordHelpError, match="consent"):
        await password_help.ask(reader_for(coach), competitor_id)


async def test_who_has_no_approved_account_gets_none(platform: Platform, coach: Person) -> None:
    waiting, _ = await make_onboarded(platform, coach, "Ada Alder", status="pending_approval")
    nobody = await make_competitor(coach, "Ben Birch", status="compliance")
    for competitor_id in (waiting, nobody):
        with pytest.raises(PasswordHelpError, match="no approved account"):
            await password_help.ask(reader_for(coach), competitor_id)


async def test_somebody_elses_competitor_is_not_found(platform: Platform, coach: Person) -> None:
    competitor_id, _ = await make_onboarded(platform, coach, "Ada Alder")
    other = await make_user(coach.organization_id, "coach", "Otto Oak")
    for target in (competitor_id, uuid4()):
        with pytest.raises(NotFound):
            await password_help.ask(reader_for(other), target)
    assert await last_mail(reader_for(other).sight, competitor_id) is None


async def test_one_competitor_gets_few_mails(offering: Platform, coach: Person) -> None:
    competitor_id, _ = await make_onboarded(offering, coach, "Ada Alder")
    for _ in range(3):
        await ask_and_send(offering, coach, competitor_id)
        with pytest.raises(PasswordHelpError, match="last 15 minutes"):
            await password_help.ask(reader_for(coach), competitor_id)
        await forget()
    with pytest.raises(PasswordHelpError, match="tomorrow"):
        await password_help.ask(reader_for(coach), competitor_id)
    assert len(await mails(offering)) == 3


async def test_one_user_asks_for_few(platform: Platform, coach: Person) -> None:
    people = [(await make_onboarded(platform, coach, f"Player{n} Poplar"))[0] for n in range(21)]
    for competitor_id in people[:20]:
        await password_help.ask(reader_for(coach), competitor_id)
    with pytest.raises(PasswordHelpError, match="in an hour"):
        await password_help.ask(reader_for(coach), people[20])


async def test_a_run_names_its_request(platform: Platform) -> None:
    with pytest.raises(BadPayload, match="request_id"):
        await enqueue("game_platform_password_help", trigger=Trigger.COMMAND)
