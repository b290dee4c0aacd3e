"""/admin/jobs: the ledger of runs, one run, and what an admin does about it."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from app import database
from app.domain.job_list import STATES
from tests.cast import Cast, Person, make_cast
from tests.clients import client_for, stranger

PAGE = "/admin/jobs"
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def make_run(
    state: str = "succeeded", *, kind: str = "job_cleanup", payload: dict[str, Any] | None = None,
    error: str | None = None, minutes_ago: int = 1,
) -> UUID:
    run_id: UUID = await database.fetchval(
        """insert into job_runs (kind, key, payload, state, trigger, attempts, queued_at, started_at, finished_at,
               error_class, error_text, result)
           values ($1, $2, $3::jsonb, $4::text, 'schedule', 1, now() - make_interval(mins => $5),
               now() - make_interval(mins => $5), case when $4::text in ('queued', 'running') then null else now() end,
               $6::text, $6::text, '{"alerts": 3}') returning id""",
        kind, str(uuid4()), json.dumps(payload or {}), state, minutes_ago, error,
    )
    return run_id


async def get(person: Person, url: str = PAGE, **headers: str) -> tuple[int, str]:
    async with await client_for(person) as browser:
        answer = await browser.get(url, headers=headers)
    return answer.status_code, answer.text


async def do(person: Person, run_id: UUID, verb: str) -> tuple[int, str]:
    async with await client_for(person) as browser:
        answer = await browser.post(f"{PAGE}/{run_id}", data={"do": verb})
    return answer.status_code, answer.headers.get("location", "")


async def state_of(run_id: UUID) -> str | None:
    state: str | None = await database.fetchval("select state from job_runs where id = $1", run_id)
    return state


async def test_only_admins_see_runs_and_act_on_them(cast: Cast) -> None:
    run_id = await make_run("failed")
    for url in (PAGE, f"{PAGE}/{run_id}"):
        assert (await get(cast.coach_a, url))[0] == 403
        async with stranger() as browser:
            assert (await browser.get(url)).status_code == 303
            assert "hx-redirect" in (await browser.get(url, headers=PARTIAL)).headers
    for verb in ("again", "cancel", "abort", "delete"):
        assert (await do(cast.coach_a, run_id, verb))[0] == 403
    assert await state_of(run_id) == "failed"


async def test_an_empty_ledger_says_what_would_be_here(cast: Cast) -> None:
    status, text = await get(cast.admin)
    assert status == 200
    assert "No runs here." in text
    assert "No worker is running" in text


async def test_each_tab_counts_exactly_its_rows_under_the_other_filters(cast: Cast) -> None:
    for state, number in (("succeeded", 3), ("failed", 2), ("queued", 1)):
        for _ in range(number):
            await make_run(state, error="Broken" if state == "failed" else None)
    await make_run("failed", kind="notifications", error="Broken")
    _, text = await get(cast.admin, f"{PAGE}?kind=job_cleanup&state=failed")
    assert text.count('<tr id="run-') == 2
    for state, count in (("succeeded", 3), ("failed", 2), ("queued", 1), ("running", 0)):
        assert f'{STATES[state]} <span class="count">{count}</span>' in text


@pytest.mark.parametrize(
    ("query", "shown"),
    [("error=Broken", 1), ("q=broken", 1), ("q=notif", 1), ("since=hour", 1), ("trigger=user", 0), ("state=failed", 1)],
)
async def test_a_filter_leaves_what_matches(cast: Cast, query: str, shown: int) -> None:
    await make_run("failed", error="Broken")
    await make_run("succeeded", kind="notifications", minutes_ago=90)
    _, text = await get(cast.admin, f"{PAGE}?{query}")
    assert text.count('<tr id="run-') == shown


async def test_bad_values_show_the_default_and_name_themselves(cast: Cast) -> None:
    await make_run()
    odd = "state=odd&kind=odd&since=odd&trigger=odd&error=a-b&cursor=x&format=pdf"
    status, text = await get(cast.admin, f"{PAGE}?{odd}")
    assert status == 200
    assert text.count('<tr id="run-') == 1
    for name in ("state", "kind", "since", "trigger", "error", "cursor", "format"):
        assert f"“{name}”" in text


async def test_the_pages_hold_every_run_once(cast: Cast) -> None:
    made = {str(await make_run(minutes_ago=number % 7)) for number in range(120)}
    url, seen = PAGE, []
    for _ in range(3):
        _, text = await get(cast.admin, url)
        seen += [part.split('"')[0] for part in text.split('<tr id="run-')[1:]]
        following = text.split('id="page-next" href="')
        url = following[1].split('"')[0].replace("&amp;", "&") if len(following) > 1 else ""
    assert len(seen) == 120 and set(seen) == made and not url


async def test_the_file_holds_the_rows_of_the_filter(cast: Cast) -> None:
    failed = await make_run("failed", error="=Broken")
    await make_run()
    _, text = await get(cast.admin, f"{PAGE}?state=failed&format=csv")
    lines = text.strip().splitlines()
    assert len(lines) == 2 and str(failed) in lines[1] and "'=Broken" in lines[1]


async def test_a_page_that_is_up_to_date_is_not_sent_again(cast: Cast) -> None:
    await make_run()
    await database.execute("insert into workers (id, name) values (gen_random_uuid(), 'host:1')")
    _, text = await get(cast.admin, PAGE, **PARTIAL)
    await database.execute("update workers set last_heard_at = now() - interval '5 seconds'")
    url = text.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert (await get(cast.admin, url, **PARTIAL))[0] == 204
    await make_run()
    assert (await get(cast.admin, url, **PARTIAL))[0] == 200


async def test_a_run_tells_what_the_ledger_has_and_masks_what_may_be_personal(cast: Cast) -> None:
    person = uuid4()
    run_id = await make_run(
        "failed", payload={"coach_id": str(person), "note": "ana@example.org", "full": True}, error="Broken"
    )
    await database.execute(
        """insert into job_attempts (run_id, attempt, error_class, error_text, traceback)
           values ($1, 1, 'Broken', 'the first time', 'File "app/x.py"')""",
        run_id,
    )
    status, text = await get(cast.admin, f"{PAGE}/{run_id}")
    assert status == 200
    assert str(person) in text and "ana@example.org" not in text and "•••" in text
    assert "the first time" in text and "app/x.py" in text
    assert "Run again" in text and ">Cancel<" not in text


async def test_an_unknown_run_is_not_found(cast: Cast) -> None:
    status, text = await get(cast.admin, f"{PAGE}/{uuid4()}")
    assert status == 404 and "There is no such run" in text
    assert (await do(cast.admin, uuid4(), "again"))[0] == 404


async def test_running_again_makes_a_linked_run_and_keeps_the_old_error(cast: Cast) -> None:
    run_id = await make_run("failed", error="Broken")
    status, location = await do(cast.admin, run_id, "again")
    assert status == 303 and location.endswith("?done=again")
    row = await database.fetchrow("select * from job_runs where retry_of = $1", run_id)
    assert row and row["state"] == "queued" and row["triggered_by"] == cast.admin.id
    assert await database.fetchval("select error_text from job_runs where id = $1", run_id) == "Broken"
    _, text = await get(cast.admin, location)
    assert f'href="{PAGE}/{run_id}"' in text


async def test_two_admins_who_run_again_at_once_make_one_run(cast: Cast) -> None:
    run_id = await make_run("failed", error="Broken")
    answers = await asyncio.gather(*(do(cast.admin, run_id, "again") for _ in range(4)))
    assert {status for status, _ in answers} == {303}
    assert await database.fetchval("select count(*) from job_runs where state = 'queued'") == 1


@pytest.mark.parametrize("state", list(STATES))
@pytest.mark.parametrize(
    ("verb", "allowed"),
    [
        ("again", {"succeeded", "failed", "cancelled"}), ("cancel", {"queued"}), ("abort", {"running"}),
        ("delete", {"succeeded", "failed", "cancelled"}), ("odd", set[str]()),
    ],
)
async def test_an_action_is_done_only_where_the_state_allows_it(
    cast: Cast, state: str, verb: str, allowed: set[str]
) -> None:
    run_id = await make_run(state)
    status, _ = await do(cast.admin, run_id, verb)
    assert status == (303 if state in allowed else 409)
    if state not in allowed:
        assert await state_of(run_id) == state
    audited = await database.fetchval("select count(*) from audit_log where action like 'run.%'")
    assert audited == (1 if state in allowed else 0)


async def test_what_another_admin_did_first_is_said(cast: Cast) -> None:
    run_id = await make_run("queued")
    assert (await do(cast.admin, run_id, "cancel"))[0] == 303
    assert (await do(cast.admin, run_id, "cancel"))[0] == 409
    assert (await do(cast.admin, run_id, "delete"))[0] == 303
    assert (await do(cast.admin, run_id, "delete"))[0] == 404


async def test_no_form_works_without_its_token(cast: Cast) -> None:
    run_id = await make_run("queued")
    async with await client_for(cast.admin) as browser:
        answer = await browser.post(f"{PAGE}/{run_id}", data={"do": "cancel"}, headers={"x-csrftoken": "wrong"})
    assert answer.status_code == 403
    assert await state_of(run_id) == "queued"


async def test_a_deleted_run_stays_counted(cast: Cast) -> None:
    for state in ("failed", "succeeded"):
        assert (await do(cast.admin, await make_run(state), "delete"))[0] == 303
    _, text = await get(cast.admin)
    assert "Earlier runs, counted: 2" in text
    assert '<td class="number">2</td><td class="number">1</td>' in text
