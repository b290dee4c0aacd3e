import json

from app import database
from app.services.quarantine import BadRecord, masked, put_aside
from tests.services.tuples import tuples_written, written_between

RECORD = BadRecord("odl_solve", "ada-1", None, {"challenge_id": 7, "email": "ada@example.org"}, "points is missing")


async def put(*records: BadRecord) -> None:
    async with database.transaction():
        await put_aside("game_platform", records)


async def test_a_bad_record_is_kept_once_with_its_reason() -> None:
    await put(RECORD, RECORD)
    before = await tuples_written()
    await put(RECORD)
    assert written_between(before, await tuples_written()) == {}
    row = await database.fetchrow("select * from quarantine")
    assert row is not None and (row["reason"], row["seen_count"]) == ("points is missing", 1)
    assert json.loads(row["raw_payload"]) == {"challenge_id": 7, "email": "•••"}


async def test_a_record_that_comes_back_after_a_day_or_after_it_was_resolved_is_counted() -> None:
    await put(RECORD)
    await database.execute("update quarantine set last_seen_at = now() - interval '25 hours'")
    await put(RECORD)
    await database.execute("update quarantine set resolved_at = now()")
    await put(RECORD)
    row = await database.fetchrow("select seen_count, resolved_at from quarantine")
    assert row is not None and tuple(row) == (3, None)


def test_what_would_name_a_person_is_masked() -> None:
    raw = {"first_name": "Ada", "metactf_username": "aa1", "challenge_title": "Caesar", "note": "ask ada@example.org"}
    assert masked(raw) == {
        "first_name": "•••", "metactf_username": "•••", "challenge_title": "Caesar", "note": "ask •••",
    }


def test_a_record_is_bounded_in_depth_width_and_length() -> None:
    deep: object = "x" * 10_000
    for _ in range(40):
        deep = {"a": deep, "b": list(range(1000))}
    assert len(json.dumps(masked(deep))) < 5000


def test_a_record_that_is_no_object_is_kept_as_it_is() -> None:
    assert masked(7) == 7 and masked(None) is None and masked("text") == "text"
