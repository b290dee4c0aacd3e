"""/admin/alarms: the list, the strip and the header's count, and letting stopped work go on."""

import asyncio

import httpx
import pytest

from app import database
from app.domain.alarm_rules import Cause
from app.domain.pauses import Scope
from app.services import pauses
from tests.cast import Cast, Person, make_cast, make_user
from tests.clients import client_for, stranger
from tests.statements import count_statements

PAGE = "/admin/alarms"


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def open_alarm(cause: Cause = Cause.WORKER, subject: str = "", *, resolved: bool = False) -> None:
    await database.execute(
        """insert into alarms (cause, subject, reason, since, resolved_at)
           values ($1::text, $2, 'It is ' || $1::text, now() - interval '3 h', case when $3 then now() end)""",
        cause.value, subject, resolved,
    )


async def stop(kind: str = "job_cleanup") -> None:
    await pauses.pause(Scope.KIND, kind, reason="failed 5 times", actor=None, is_automatic=True)
    await open_alarm(Cause.REPEATED_FAILURE, kind)


async def show(person: Person, path: str = PAGE) -> httpx.Response:
    async with await client_for(person) as browser:
        return await browser.get(path)


async def resume(person: Person, kind: str = "job_cleanup") -> httpx.Response:
    async with await client_for(person) as browser:
        return await browser.post(f"{PAGE}/resume", data={"kind": kind})


async def test_an_admin_sees_what_is_wrong_since_when_and_what_to_do(cast: Cast) -> None:
    await open_alarm()
    answer = await show(cast.admin)
    assert answer.status_code == 200 and "no-store" in answer.headers["cache-control"]
    for part in ("No worker is heard", "It is worker", "3 h ago", "Start one: bin/sideline worker", 'data-alarms="1"'):
        assert part in answer.text


async def test_every_cause_has_a_row(cast: Cast) -> None:
    for cause in Cause:
        await open_alarm(cause, "job_cleanup")
        await open_alarm(cause, "job_cleanup", resolved=True)
    text = (await show(cast.admin)).text
    assert all(f"It is {cause}" in text for cause in Cause) and "Resume Cleanup" in text
    text = (await show(cast.admin, f"{PAGE}?state=resolved")).text
    assert all(f"It is {cause}" in text for cause in Cause) and "Resume Cleanup" not in text


async def test_without_an_alarm_the_page_says_so_and_the_icon_is_calm(cast: Cast) -> None:
    text = (await show(cast.admin)).text
    assert "Nothing is wrong." in text and "Nobody has looked yet" in text
    assert 'id="favicon" href="/static/favicon.svg' in text and "alarm-count" not in text
    assert "Nothing has been resolved yet." in (await show(cast.admin, f"{PAGE}?state=resolved")).text


async def test_every_page_of_an_admin_counts_them_and_the_icon_changes(cast: Cast) -> None:
    await open_alarm()
    await open_alarm(Cause.DISK)
    for path in ("/settings", "/admin/drift", "/"):
        text = (await show(cast.admin, path)).text
        assert 'id="favicon" href="/static/favicon-alarm.svg' in text
        assert "open alarms" in text and ("2 alarms are open" in text) == path.startswith("/admin/")


async def test_coaches_and_strangers_have_no_way_there(cast: Cast) -> None:
    await stop()
    for path in (PAGE, f"{PAGE}/strip", f"{PAGE}/settings"):
        assert (await show(cast.coach_a, path)).status_code == 403
        async with stranger() as browser:
            assert (await browser.get(path)).status_code == 303
            partial = await browser.get(path, headers={"hx-request": "true", "hx-request-type": "partial"})
            assert "/login" in partial.headers["hx-redirect"]
    assert (await resume(cast.coach_a)).status_code == 403
    text = (await show(cast.coach_a, "/settings")).text
    assert "favicon-alarm.svg?v" not in text.split('data-calm')[0] and PAGE not in text
    assert await database.fetchval("select count(*) from pauses") == 1


async def test_an_admin_resumes_stopped_work_once(cast: Cast) -> None:
    await stop()
    other = await make_user(cast.organization_id, "admin", "Otto Other")
    answers = await asyncio.gather(resume(cast.admin), resume(other))
    assert sorted(answer.status_code for answer in answers) == [303, 422]
    refused = next(answer for answer in answers if answer.status_code == 422)
    assert "somebody has resumed it already" in refused.text
    assert await database.fetchval("select count(*) from pauses") == 0
    assert await database.fetchval("select count(*) from audit_log where action = 'pause.end'") == 1
    assert await database.fetchval("select count(*) from alarms where resolved_at is null") == 0


async def test_work_that_a_person_paused_is_not_resumed_here(cast: Cast) -> None:
    await pauses.pause(Scope.KIND, "job_cleanup", reason="maintenance", actor=None, actor_label="test")
    for kind in ("job_cleanup", "", "shoes", "\x00"):
        assert (await resume(cast.admin, kind)).status_code == 422
    assert await database.fetchval("select count(*) from pauses") == 1


async def test_filters_narrow_the_list_and_bad_ones_are_named(cast: Cast) -> None:
    await open_alarm()
    await open_alarm(Cause.DISK)
    text = (await show(cast.admin, f"{PAGE}?cause=disk")).text
    assert "It is disk" in text and "It is worker" not in text and "Clear all" in text
    text = (await show(cast.admin, f"{PAGE}?cause=shoes&state=gone&page=-1")).text
    assert "It is disk" in text and all(f"“{name}”" in text for name in ("cause", "state", "page"))
    assert "No alarm matches" in (await show(cast.admin, f"{PAGE}?cause=token")).text
    assert "First page" in (await show(cast.admin, f"{PAGE}?page=99")).text


async def test_long_histories_have_pages(cast: Cast) -> None:
    for number in range(60):
        await open_alarm(Cause.SCHEDULE, str(number), resolved=True)
    text = (await show(cast.admin, f"{PAGE}?state=resolved")).text
    assert "50 of 60 shown" in text and "state=resolved&amp;page=2" in text
    assert "10 of 60 shown" in (await show(cast.admin, f"{PAGE}?state=resolved&page=2")).text


async def test_what_has_not_changed_is_not_sent_again(cast: Cast) -> None:
    await open_alarm()
    text = (await show(cast.admin)).text
    url = text.split('hx-get="/admin/alarms?seen=')[1].split('"')[0]
    assert (await show(cast.admin, f"{PAGE}?seen={url}")).status_code == 204
    assert (await show(cast.admin, f"{PAGE}/strip?seen=1")).status_code == 204
    answer = await show(cast.admin, f"{PAGE}/strip?seen=0")
    assert answer.status_code == 200 and 'data-alarms="1"' in answer.text and "<html" not in answer.text


async def test_the_count_costs_no_statement_of_its_own(cast: Cast) -> None:
    async with await client_for(cast.admin) as browser:
        before = await count_statements(browser, "/settings")
        await open_alarm()
        assert await count_statements(browser, "/settings") == before


async def test_a_form_without_its_token_changes_nothing(cast: Cast) -> None:
    await stop()
    async with await client_for(cast.admin) as browser:
        del browser.headers["x-csrftoken"]
        for path in ("resume", "settings/mail", "settings/webhook"):
            assert (await browser.post(f"{PAGE}/{path}", data={"kind": "job_cleanup"})).status_code == 403
    assert await database.fetchval("select count(*) from pauses") == 1
