from datetime import UTC, datetime, timedelta

from app.domain.sync_invariants import CursorFacts, broken_cursors, everybody_changed

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


def facts(*, before: datetime | None, after: datetime | None, newest: datetime | None, failed: bool) -> CursorFacts:
    return CursorFacts(before=before, after=after, newest=newest, has_failed=failed)


def test_a_run_in_which_everybody_changed_is_suspect() -> None:
    assert everybody_changed(looked_at=22, changed=21) is None
    assert "all 22 people" in (everybody_changed(looked_at=22, changed=22) or "")


def test_a_few_may_all_have_something_new() -> None:
    assert everybody_changed(looked_at=9, changed=9) is None
    assert everybody_changed(looked_at=0, changed=0) is None


def test_a_cursor_may_move_with_what_was_read_only() -> None:
    good = facts(before=NOON, after=LATER, newest=LATER, failed=False)
    failed_and_still = facts(before=NOON, after=NOON, newest=None, failed=True)
    assert broken_cursors([good, failed_and_still]) == []
    moved = facts(before=NOON, after=LATER, newest=None, failed=True)
    assert [text.partition(":")[0] for text in broken_cursors([good, moved])] == ["cursor_moved_on_failure"]


def test_no_cursor_is_later_than_what_the_vendor_knows() -> None:
    beyond = facts(before=LATER, after=LATER, newest=NOON, failed=False)
    assert [text.partition(":")[0] for text in broken_cursors([beyond])] == ["cursor_beyond_vendor"]
