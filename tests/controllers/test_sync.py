"""/admin/sync: how the sync with the Game Platform stands."""

from uuid import UUID

import pytest

from app import database
from tests.cast import Cast, make_cast, make_competitor
from tests.clients import client_for, stranger

PAGE = "/admin/sync"
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def text_for_admin(cast: Cast, **headers: str) -> str:
    async with await client_for(cast.admin) as browser:
        answer = await browser.get(PAGE, headers=headers)
    assert answer.status_code == 200 and "no-store" in answer.headers["cache-control"]
    return answer.text


async def add_look(cast: Cast, minutes_ago: int) -> None:
    competitor_id = await make_competitor(cast.coach_a, "Cora Cedar")
    await database.execute(
        """update game_platform_sync_state set last_success_at = now() - make_interval(mins => $2)
           where competitor_id = $1""",
        competitor_id, minutes_ago,
    )


async def put_aside(competitor_id: UUID, reason: str) -> None:
    await database.execute(
        """insert into quarantine (vendor, kind, competitor_id, record_key, reason, seen_count)
           values ('game_platform', 'odl_solve', $1, md5($2::text), $2::text, 3)""",
        competitor_id, reason,
    )


async def add_batch(broken: str = "[]") -> None:
    await database.execute(
        """insert into game_platform_sync_runs (run_id, mode, batch_number, total_batches, total, synced, failed,
               api_calls, errors_by_kind, broken_invariants, cursor_before, cursor_after, started_at, finished_at)
           values (gen_random_uuid(), 'tiers', 1, 4, 50, 7, 2, 61, '{"unavailable": 2}', $1::jsonb,
               now() - interval '3 hours', now() - interval '2 hours', now() - interval '12.5 seconds', now())""",
        broken,
    )


async def test_before_the_first_sync_each_section_says_what_would_be_there(cast: Cast) -> None:
    text = await text_for_admin(cast)
    for words in (
        "Nobody to look at yet", "No batch has run yet", "Nothing is put aside", "No calls in the last 30 minutes",
        "Nothing to suggest", "600 calls a minute",
    ):
        assert words in text
    assert "Broken invariants" not in text and f'href="{PAGE}" aria-current="page"' in text


@pytest.mark.parametrize(("minutes_ago", "word", "other"), [
    (20, "Kept", "Late"), (485, "Kept", "Late"), (600, "Late", "Kept"),
])
async def test_the_age_of_the_looks_stands_beside_the_promise(
    cast: Cast, minutes_ago: int, word: str, other: str
) -> None:
    await add_look(cast, minutes_ago)
    text = await text_for_admin(cast)
    for promised in ("30 min", "120 min", "480 min", f"{minutes_ago} min"):
        assert f'<td class="number">{promised}</td>' in text
    assert f"</span>{word}</span>" in text and f"</span>{other}</span>" not in text


async def test_a_batch_is_shown_with_its_counts_its_errors_and_its_cursor(cast: Cast) -> None:
    await add_batch()
    text = await text_for_admin(cast)
    assert "2 of 4" in text and "unavailable 2" in text and "12.5" in text
    assert "3 h ago" in text and "2 h ago" in text
    for count in (50, 7, 2):
        assert f'<td class="number">{count}</td>' in text
    assert ">61</td>" in text


async def test_broken_invariants_come_before_everything_else(cast: Cast) -> None:
    await add_batch('["cursor_beyond_vendor: 3 cursors are later than anything the vendor knows"]')
    text = await text_for_admin(cast)
    assert text.index("cursor_beyond_vendor: 3 cursors") < text.index("Freshness by tier")


async def test_what_is_put_aside_is_shown_with_its_reason_as_text(cast: Cast) -> None:
    competitor_id = await make_competitor(cast.coach_a, "Cora Cedar")
    await put_aside(competitor_id, "timestamp_unix: <script>alert(1)</script>")
    text = await text_for_admin(cast)
    assert "timestamp_unix: &lt;script&gt;" in text and "<script>alert" not in text
    assert f'href="/competitors/{competitor_id}"' in text and "with the next answer" in text


async def test_calls_of_a_minute_are_counted_together_against_the_limit(cast: Cast) -> None:
    await database.execute(
        """insert into vendor_calls (vendor, token_key, kind, outcome, duration_ms, started_at)
           select vendor, 'key', kind, outcome, 80, now() from (values
               ('game_platform', 'odl_scores', 'ok', 59), ('game_platform', 'odl_scores', 'unavailable', 1),
               ('game_platform', 'user', 'ok', 30), ('elsewhere', 'odl_scores', 'ok', 9)
           ) as made (vendor, kind, outcome, calls) cross join generate_series(1, calls)"""
    )
    text = await text_for_admin(cast)
    assert "odl_scores 60 (1 not ok), 80 ms; user 30, 80 ms" in text
    assert '<td class="number">90</td>' in text and '<td class="number">15%</td>' in text


async def test_a_vendor_that_is_left_alone_for_now_is_named_with_its_reason(cast: Cast) -> None:
    await database.execute(
        """insert into vendor_breakers (vendor, consecutive_failures, failing_since, opened_at, retry_at, reason)
           values ('game_platform', 5, now(), now(), now() + interval '1 minute', 'unavailable')"""
    )
    text = await text_for_admin(cast)
    assert "Calls are held back" in text and "unavailable" in text


async def test_advice_is_suggested_and_nothing_more(cast: Cast) -> None:
    await database.execute(
        """insert into game_platform_sync_runs (run_id, batch_size, finished_at)
           select gen_random_uuid(), 50, now() - n * interval '1 hour' from generate_series(1, 30) n"""
    )
    text = await text_for_admin(cast)
    assert "Set GAME_PLATFORM_SYNC_BATCH_SIZE to 100" in text and "Suggested, never applied by itself" in text


async def test_the_page_refreshes_its_panels_alone(cast: Cast) -> None:
    text = await text_for_admin(cast, **PARTIAL)
    assert text.lstrip().startswith('<div id="sync"') and "<html" not in text


async def test_nobody_but_an_admin_sees_it(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        assert (await browser.get(PAGE)).status_code == 403
        assert PAGE not in (await browser.get("/settings")).text
    async with stranger() as browser:
        answer = await browser.get(PAGE)
    assert answer.status_code == 303 and answer.headers["location"].startswith("/login")
