"""When the installation needs somebody, as a table: what is known, and which alarms that makes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.alarm_rules import (
    CAUSES,
    DISK_BYTES,
    Cause,
    DatabaseState,
    EndingToken,
    Facts,
    FailingVendor,
    LateTier,
    Overdue,
    Streak,
    findings,
    hidden_causes,
)

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
WELL = Facts(now=NOW, worker_heard_at=NOW)


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


@pytest.mark.parametrize(("facts", "causes"), [
    ({}, []),
    ({"worker_heard_at": ago(seconds=60)}, []),
    ({"worker_heard_at": ago(seconds=61)}, [("worker", "")]),
    ({"due": 3, "oldest_due_at": ago(minutes=5)}, []),
    ({"due": 3, "oldest_due_at": ago(minutes=6)}, [("queue", "")]),
    ({"schedules": (Overdue("job_cleanup", ago(minutes=2)),)}, []),
    ({"schedules": (Overdue("job_cleanup", ago(minutes=3)),)}, [("schedule", "job_cleanup")]),
    ({"late_tiers": (LateTier("active", 4, ago(minutes=20)),)}, [("freshness", "active")]),
    ({"vendors": (FailingVendor("game_platform", "unauthorized", "refused", ago(hours=1)),)},
     [("vendor", "game_platform")]),
    ({"streaks": (Streak("job_cleanup", 4, ago(hours=1), "ValueError"),)}, []),
    ({"streaks": (Streak("job_cleanup", 5, ago(hours=1), "ValueError"),)}, [("repeated_failure", "job_cleanup")]),
    ({"streaks": (Streak("job_cleanup", 0, ago(hours=1), "", True),)}, [("repeated_failure", "job_cleanup")]),
    ({"free_disk_bytes": DISK_BYTES}, []),
    ({"free_disk_bytes": DISK_BYTES - 1}, [("disk", "")]),
    ({"database": DatabaseState(connections=89, max_connections=100)}, []),
    ({"database": DatabaseState(connections=90, max_connections=100)}, [("database", "connections")]),
    ({"database": DatabaseState(oldest_transaction_at=ago(minutes=10))}, []),
    ({"database": DatabaseState(oldest_transaction_at=ago(minutes=11))}, [("database", "transaction")]),
    ({"database": DatabaseState(is_read_only=True)}, [("database", "read_only")]),
    ({"tokens": (EndingToken("game_platform", NOW + timedelta(days=31)),)}, []),
    ({"tokens": (EndingToken("game_platform", NOW + timedelta(days=30)),)}, [("token", "game_platform")]),
    ({"tokens": (EndingToken("game_platform", ago(days=1)),)}, [("token", "game_platform")]),
])
def test_what_is_wrong(facts: dict[str, Any], causes: list[tuple[str, str]]) -> None:
    found = findings(replace(WELL, **facts))
    assert [(finding.cause.value, finding.subject) for finding in found] == causes
    assert all(finding.reason.endswith((".", "refused")) and finding.since <= NOW for finding in found)


def test_without_a_worker_nothing_is_said_of_what_waits_for_it() -> None:
    assert hidden_causes(findings(WELL)) == frozenset()
    assert hidden_causes(findings(replace(WELL, worker_heard_at=ago(hours=1)))) == {Cause.QUEUE, Cause.SCHEDULE}


def test_an_alarm_tells_how_many_and_whether_somebody_must_act() -> None:
    late = replace(WELL, late_tiers=(LateTier("active", 1, NOW), LateTier("idle", 7, NOW)))
    assert [finding.reason.split(" of ")[0] for finding in findings(late)] == ["1 person", "7 people"]
    refused = FailingVendor("game_platform", "unauthorized", "x", NOW)
    broken = FailingVendor("v", "unavailable", "y", NOW)
    assert [finding.reason for finding in findings(replace(WELL, vendors=(refused, broken)))] == [
        "Game Platform needs action: x", "v keeps failing: y",
    ]


def test_every_cause_has_words_and_a_next_step() -> None:
    assert set(CAUSES) == set(Cause)
    assert all(words.title and words.step and words.path.startswith("/admin/") for words in CAUSES.values())
