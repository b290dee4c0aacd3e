"""Every rule on made-up timelines: when it speaks, since when, and when it keeps silent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.domain import alert_rules
from app.domain.alert_rules import RULES, FlashCtf, Group, Now, Person, Rule

AT = datetime(2026, 3, 20, 12, tzinfo=UTC)
EVENT = FlashCtf("spring", "Spring Flash", AT - timedelta(days=6), AT - timedelta(days=4))


def ago(days: float) -> datetime:
    return AT - timedelta(days=days)


NOW = Now(AT, lambda first, last: (last.date() - first.date()).days, EVENT)
ONBOARDED = Person(
    competitor_id=UUID(int=1), status="complete", ready_since=ago(60), invited_at=ago(60), game_platform_id="x",
    platform_status="approved", accessed_at=ago(1), solved_at=ago(1), looked_at=ago(0.1), flash_ctf_asked_at=ago(1),
    has_played=True,
)
READY = Person(competitor_id=UUID(int=2), status="compliance", ready_since=ago(10), invited_at=ago(10))


def seen(person: Person, now: Now = NOW) -> dict[Rule, datetime]:
    return {finding.rule: finding.since for finding in alert_rules.findings(person, now)}


def test_who_plays_gives_no_cause() -> None:
    assert seen(ONBOARDED) == {}


TIMELINES = {
    "refused": (replace(READY, platform_error="refused", refused_at=ago(2)), {Rule.ONBOARDING_FAILED: ago(2)}),
    "denied": (replace(ONBOARDED, platform_status="denied", refused_at=ago(3)), {Rule.ONBOARDING_FAILED: ago(3)}),
    "ready for long": (READY, {Rule.UNLINKED: ago(10)}),
    "ready since yesterday": (replace(READY, ready_since=ago(1)), {}),
    "waiting for approval": (replace(READY, game_platform_id="x", platform_status="user_created"), {}),
    "papers missing": (replace(READY, status="profile"), {}),
    "never signed in": (replace(ONBOARDED, accessed_at=None, solved_at=None), {Rule.NEVER_SIGNED_IN: ago(60)}),
    "invited yesterday": (replace(ONBOARDED, accessed_at=None, solved_at=None, invited_at=ago(1)), {}),
    "was active, stopped": (replace(ONBOARDED, accessed_at=ago(20), solved_at=ago(30)), {Rule.INACTIVE: ago(20)}),
    "nine days": (replace(ONBOARDED, accessed_at=ago(9), solved_at=ago(9)), {}),
    "solves, access unknown": (replace(ONBOARDED, accessed_at=None, solved_at=ago(15)), {Rule.INACTIVE: ago(15)}),
    "tries, solves nothing": (replace(ONBOARDED, solved_at=ago(9)), {Rule.STUCK: ago(9)}),
    "tries, never solved": (replace(ONBOARDED, solved_at=None), {Rule.STUCK: ago(60)}),
    "a pause of four days": (replace(ONBOARDED, solved_at=ago(5)), {}),
    "missed it": (replace(ONBOARDED, has_played=False), {Rule.MISSED_FLASH_CTF: EVENT.started_at}),
    "missed it, not asked since": (replace(ONBOARDED, has_played=False, flash_ctf_asked_at=ago(5)), {}),
    "came later": (replace(ONBOARDED, has_played=False, invited_at=ago(5)), {}),
    "not read": (replace(ONBOARDED, failures=3, looked_at=ago(0.5), failure="no answer"), {Rule.SYNC_ERROR: ago(0.5)}),
    "twice not read": (replace(ONBOARDED, failures=2), {}),
    "team not taken": (replace(ONBOARDED, team_error="the team is unknown"), {Rule.SYNC_ERROR: AT}),
}


@pytest.mark.parametrize("name", TIMELINES)
def test_a_timeline_gives_its_causes_and_no_others(name: str) -> None:
    person, expected = TIMELINES[name]
    assert seen(person) == expected


@pytest.mark.parametrize("looked_at", [None, ago(1.01)])
@pytest.mark.parametrize("name", ["never signed in", "was active, stopped", "tries, solves nothing", "missed it"])
def test_on_old_data_nobody_is_called_anything(name: str, looked_at: datetime | None) -> None:
    person = replace(TIMELINES[name][0], looked_at=looked_at)
    assert person.is_stale(AT) and seen(person) == {}


def test_a_break_adds_nothing_to_inactivity() -> None:
    person = replace(ONBOARDED, accessed_at=ago(20), solved_at=ago(20))
    assert Rule.INACTIVE in seen(person)
    assert seen(person, replace(NOW, active_days=lambda first, last: max(0, NOW.active_days(first, last) - 14))) == {}


def test_a_missed_event_is_forgotten_after_a_month() -> None:
    person = replace(ONBOARDED, has_played=False, flash_ctf_asked_at=AT)
    old = replace(EVENT, started_at=ago(38), settled_at=ago(36))
    assert seen(person, replace(NOW, flash_ctf=old)) == {}
    (finding,) = alert_rules.findings(person, NOW)
    assert (finding.subject, finding.reason) == (f"{person.competitor_id}:spring", "Spring Flash")


def test_every_rule_has_words_a_step_and_a_card() -> None:
    assert set(RULES) == set(Rule)
    assert all(words.title and words.cause and words.step.endswith((".", "?")) for words in RULES.values())
    assert {words.group for words in RULES.values()} == set(Group)
