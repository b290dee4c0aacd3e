"""/admin/schedules: the list, the page of one, and what an admin does about it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from app.domain.pauses import Scope
from app.services import pauses, schedules, workers
from app.settings import get_settings
from tests.cast import Cast, make_cast, make_user
from tests.clients import client_for, stranger

PAGE = "/admin/schedules"


@pytest.fixture
async def cast(settings_changed: pytest.MonkeyPatch) -> Cast:
    settings_changed.setenv("GAME_PLATFORM_API_TOKEN", "a-token")
    await schedules.ensure_built_ins()
    return await make_cast()


async def row(name: str = "job_cleanup") -> dict[str, object]:
    found = await database.fetchrow("select * from job_schedules where name = $1", name)
    return dict(found) if found else {}


async def id_of(name: str = "job_cleanup") -> UUID:
    return UUID(str((await row(name))["id"]))


async def show(cast: Cast, path: str = "") -> str:
    async with await client_for(cast.admin) as browser:
        answer = await browser.get(f"{PAGE}{path}")
    assert answer.status_code == 200 and "no-store" in answer.headers["cache-control"]
    return answer.text


async def send(cast: Cast, path: str, **fields: str) -> httpx.Response:
    async with await client_for(cast.admin) as browser:
        return await browser.post(f"{PAGE}{path}", data=fields)


async def act(cast: Cast, do: str, name: str = "job_cleanup", **fields: str) -> httpx.Response:
    version = fields.pop("version", str((await row(name))["version"]))
    return await send(cast, f"/{await id_of(name)}/actions", do=do, version=version, **fields)


async def save(cast: Cast, which: str = "job_cleanup", *, do: str = "save", **fields: str) -> httpx.Response:
    current = await row(which)
    wanted = {"name": which, "cron": str(current["cron"]), "zone": str(current["zone"]),
              "version": str(current["version"])} | fields
    return await send(cast, f"/{current['id']}", do=do, **wanted)


async def create(cast: Cast, **fields: str) -> httpx.Response:
    wanted = {"do": "save", "name": "Nightly look", "kind": "game_platform_sync", "cron": "30 2 * * *",
              "zone": "Europe/Berlin"} | fields
    return await send(cast, "/new", **wanted)


async def add_run(name: str, state: str = "succeeded", *, minutes_late: int = 0, hours_ago: int = 1) -> UUID:
    queued = datetime.now(UTC) - timedelta(hours=hours_ago)
    run: UUID = await database.fetchval(
        """insert into job_runs (kind, key, trigger, schedule_id, slot_at, state, queued_at, started_at, finished_at,
               result, error_text)
           values ('job_cleanup', $1, 'schedule', $2, $3, $4, $5, $5, $6, $7::jsonb, $8) returning id""",
        str(uuid4()), await id_of(name), queued - timedelta(minutes=minutes_late), state, queued,
        queued + timedelta(seconds=4) if state != "running" else None, json.dumps({"job_runs": 7, "rest": 0}),
        "the disk is full" if state == "failed" else None,
    )
    return run


async def audits() -> list[tuple[str, str]]:
    rows = await database.fetch("select action, subject_id from audit_log order by id")
    return [(each["action"], each["subject_id"]) for each in rows]


async def test_an_admin_sees_every_schedule_in_words(cast: Cast) -> None:
    text = await show(cast)
    for part in ("Score sync", "Every 5 minutes", "At 03:15, every day", "<code>15 3 * * *</code> UTC", "no runs yet",
                 "Run now", 'All <span class="count">8</span>', 'Enabled <span class="count">8</span>',
                 'Paused <span class="count">0</span>', "Deletes succeeded and cancelled runs"):
        assert part in text
    assert f'href="{PAGE}" aria-current="page"' in text


async def test_the_strip_links_each_of_the_last_sixty_runs(cast: Cast) -> None:
    runs = [await add_run("job_cleanup", state, hours_ago=number + 1)
            for number, state in enumerate(["failed", "running", *["succeeded"] * 60])]
    text = await show(cast)
    assert text.count('href="/admin/jobs/') == 60 + 1
    assert f'href="/admin/jobs/{runs[0]}"' in text and f'href="/admin/jobs/{runs[60]}"' not in text
    assert "failed in 4.0 s: the disk is full" in text and "✕" in text


async def test_the_last_run_says_its_result_and_how_long_it_took(cast: Cast) -> None:
    await add_run("job_cleanup", minutes_late=25)
    text = await show(cast, f"/{await id_of()}")
    assert "4.0 s" in text and "job runs 7" in text and "rest 0" not in text
    assert "caught up 25 min late" in text


async def test_a_slot_that_nobody_started_is_an_alarm(cast: Cast) -> None:
    assert "Missed" not in await show(cast)
    await database.execute("update job_schedules set next_run_at = now() - interval '3 min' where name = 'job_cleanup'")
    assert "▲ overdue" in await show(cast) and "Scheduler stopped" in await show(cast)
    await database.execute("update job_schedules set enabled = false where name = 'job_cleanup'")
    assert "▲ overdue" not in await show(cast)


async def test_the_head_says_whether_somebody_looks(cast: Cast) -> None:
    assert "Scheduler runs, no worker" in await show(cast)
    await workers.hear(uuid4(), "worker")
    assert "Scheduler running" in await show(cast)


async def test_coaches_and_strangers_have_no_way_there(cast: Cast) -> None:
    schedule_id = await id_of()
    before = await row()
    async with await client_for(cast.coach_a) as browser:
        for path in ("", "/new", "/preview", f"/{schedule_id}"):
            assert (await browser.get(f"{PAGE}{path}")).status_code == 403
        for path in ("/new", f"/{schedule_id}", f"/{schedule_id}/actions"):
            assert (await browser.post(f"{PAGE}{path}", data={"do": "run", "reason": "x"})).status_code == 403
    async with stranger() as browser:
        assert (await browser.get(PAGE)).status_code == 303
        partial = await browser.get(PAGE, headers={"HX-Request": "true", "HX-Request-Type": "partial"})
        assert "hx-redirect" in partial.headers
    assert await row() == before and await database.fetchval("select count(*) from job_runs") == 0


async def test_a_form_without_its_token_changes_nothing(cast: Cast) -> None:
    async with await client_for(cast.admin) as browser:
        del browser.headers["x-csrftoken"]
        answer = await browser.post(f"{PAGE}/{await id_of()}/actions", data={"do": "pause", "reason": "x"})
    assert answer.status_code == 403 and (await row())["enabled"]


async def test_a_change_is_kept_audited_and_survives_a_deploy(cast: Cast) -> None:
    answer = await save(cast, "game_platform_sync", cron="*/30  * * * *", zone="Europe/Berlin", payload_full="yes")
    assert answer.headers["location"].endswith("?done=saved")
    await schedules.ensure_built_ins()
    changed = await row("game_platform_sync")
    assert (changed["cron"], changed["zone"], changed["payload"]) == ("*/30 * * * *", "Europe/Berlin", '{"full": true}')
    assert changed["changed_by"] == cast.admin.id and changed["is_changed"]
    audit = await database.fetchrow("select actor_id, before, after from audit_log where action = 'schedule.change'")
    assert audit and audit["actor_id"] == cast.admin.id
    assert json.loads(audit["before"])["cron"] == "*/5 * * * *"
    assert json.loads(audit["after"])["payload"] == {"full": True}


async def test_a_change_moves_the_next_run(cast: Cast) -> None:
    await save(cast, cron="0 0 1 1 *")
    assert (await row())["next_run_at"] == datetime(datetime.now(UTC).year + 1, 1, 1, tzinfo=UTC)


async def test_saving_what_is_there_changes_nothing(cast: Cast) -> None:
    assert (await save(cast)).status_code == 303
    assert not (await row())["is_changed"] and await audits() == []


async def test_a_change_whose_audit_fails_is_not_made(cast: Cast) -> None:
    await database.execute("alter table audit_log rename to audit_log_away")
    try:
        assert (await save(cast, cron="1 1 * * *")).status_code == 500
    finally:
        await database.execute("alter table audit_log_away rename to audit_log")
    assert (await row())["cron"] == "15 3 * * *"


async def test_a_built_in_one_goes_back_to_its_default(cast: Cast) -> None:
    await save(cast, cron="1 1 * * *", zone="Europe/Berlin")
    text = await show(cast, f"/{await id_of()}")
    assert "<del>15 3 * * *</del>" in text and "<ins>1 1 * * *</ins>" in text and "<del>UTC</del>" in text
    assert (await act(cast, "reset")).headers["location"].endswith("?done=reset")
    current = await row()
    assert (current["cron"], current["zone"], current["is_changed"]) == ("15 3 * * *", "UTC", False)
    again = await act(cast, "reset")
    assert again.status_code == 422 and "as it is by default" in again.text
    assert [action for action, _ in await audits()] == ["schedule.change", "schedule.reset"]


async def test_the_second_of_two_admins_sees_both_values(cast: Cast) -> None:
    version = str((await row())["version"])
    await save(cast, cron="1 1 * * *", version=version)
    answer = await save(cast, cron="2 2 * * *", version=version)
    assert answer.status_code == 409 and "Somebody else changed this schedule" in answer.text
    assert "<del>1 1 * * *</del>" in answer.text and "<ins>2 2 * * *</ins>" in answer.text
    assert "Alma Admin" in answer.text and 'name="cron" value="2 2 * * *"' in answer.text
    assert (await row())["cron"] == "1 1 * * *"
    assert (await save(cast, cron="2 2 * * *")).status_code == 303


async def test_of_two_admins_at_once_one_saves(cast: Cast) -> None:
    other = await make_user(cast.organization_id, "admin", "Otto Other")
    version = str((await row())["version"])
    answers = await asyncio.gather(
        save(cast, cron="1 1 * * *", version=version),
        save(Cast(**{**cast.__dict__, "admin": other}), cron="2 2 * * *", version=version),
    )
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert len(await audits()) == 1


@pytest.mark.parametrize(("fields", "why"), [
    ({"cron": "soon"}, "should have five fields"), ({"cron": "61 * * * *"}, "Bad minute"),
    ({"cron": "1--100000000 * * * *"}, "Bad minute"), ({"cron": "0 0 */30 2 1#5"}, "never comes"),
    ({"cron": ""}, "should have five fields"), ({"zone": "Mars/Olympus"}, "is not a time zone"),
    ({"zone": ""}, "is not a time zone"), ({"cron": "*" * 5000}, "should have five fields"),
    ({"payload_batch_size": "many"}, "valid integer"), ({"payload_batch_size": "0"}, "greater than or equal to 1"),
    ({"payload_competitor_ids": "x"}, "valid UUID"),
])
async def test_a_bad_value_is_said_once_and_changes_nothing(cast: Cast, fields: dict[str, str], why: str) -> None:
    answer = await save(cast, "game_platform_totals_sweep", **fields)
    assert answer.status_code == 422 and "Nothing was changed." in answer.text and answer.text.count(why) == 1
    assert (await row("game_platform_totals_sweep"))["version"] == 0 and await audits() == []


async def test_checking_shows_the_next_five_times_and_changes_nothing(cast: Cast) -> None:
    answer = await save(cast, do="check", cron="30 2 * * *", zone="Europe/Berlin")
    assert answer.status_code == 200 and "At 02:30, every day" in answer.text
    assert answer.text.count(" 02:30 CE") == 5 and 'value="30 2 * * *"' in answer.text
    assert (await row())["cron"] == "15 3 * * *"
    assert "61 * * * *" in (await save(cast, do="check", cron="61 * * * *")).text


async def test_the_preview_has_an_address_of_its_own(cast: Cast) -> None:
    assert "At 02:30, every day" in await show(cast, "/preview?cron=30+2+*+*+*&zone=Europe/Berlin")
    assert "should have five fields" in await show(cast, "/preview")
    assert "should have five fields" in await show(cast, f"/preview?cron={'9' * 4000}&zone=UTC")
    async with await client_for(cast.admin) as browser:
        answer = await browser.get(f"{PAGE}/preview?cron=x&zone=UTC", headers={"HX-Request-Type": "partial"})
    assert answer.text.lstrip().startswith("<section")


async def test_a_schedule_of_ones_own_is_made_changed_and_deleted(cast: Cast) -> None:
    assert "Only this coach" in await show(cast, "/new?kind=game_platform_sync")
    answer = await create(cast, payload_dry_run="yes", payload_coach_id=str(cast.coach_a.id))
    assert answer.status_code == 303
    made = await row("Nightly look")
    assert json.loads(str(made["payload"])) == {"dry_run": True, "coach_id": str(cast.coach_a.id)}
    assert not made["is_built_in"] and made["enabled"]
    again = await create(cast)
    assert again.status_code == 422 and "Another schedule has this name" in again.text
    taken = await save(cast, "Nightly look", name="job_cleanup")
    assert taken.status_code == 422 and "Another schedule has this name" in taken.text
    assert (await save(cast, "Nightly look", name="Nightly")).status_code == 303
    assert (await act(cast, "delete", "Nightly")).headers["location"] == f"{PAGE}?done=deleted"
    assert await row("Nightly") == {}
    assert [action for action, _ in await audits()] == ["schedule.create", "schedule.change", "schedule.delete"]


@pytest.mark.parametrize(("fields", "why"), [
    ({"name": " "}, "A name has"), ({"name": "x" * 81}, "A name has"), ({"cron": "x"}, "five fields"),
    ({"payload_coach_id": "x"}, "valid UUID"),
])
async def test_a_bad_new_one_is_not_made(cast: Cast, fields: dict[str, str], why: str) -> None:
    answer = await create(cast, **fields)
    assert answer.status_code == 422 and why in answer.text
    assert await database.fetchval("select count(*) from job_schedules") == 8


async def test_an_unknown_kind_cannot_be_scheduled(cast: Cast) -> None:
    answer = await create(cast, kind="make_coffee")
    assert answer.status_code == 422 and "Choose the work from the list" in answer.text
    assert "Which work?" in await show(cast, "/new")
    assert "“kind”" in await show(cast, "/new?kind=game_platform_password_help")


async def test_a_pause_has_a_reason_and_a_name_and_ends(cast: Cast) -> None:
    assert (await act(cast, "pause")).status_code == 422
    assert (await act(cast, "pause", reason="The disk\nis full")).headers["location"].endswith("?done=paused")
    text = await show(cast, "?state=paused")
    assert "The disk is full, Alma Admin" in text and "Score sync" not in text
    again = await act(cast, "pause", reason="x")
    assert again.status_code == 422 and "paused already" in again.text
    await database.execute("update job_schedules set next_run_at = now() - interval '3 h' where name = 'job_cleanup'")
    assert await schedules.tick() == []
    assert (await act(cast, "resume")).status_code == 303
    current = await row()
    assert current["enabled"] and current["pause_reason"] == "" and await schedules.tick() == []
    assert "not paused" in (await act(cast, "resume")).text
    assert [action for action, _ in await audits()] == ["schedule.pause", "schedule.resume"]


async def test_a_schedule_whose_kind_or_vendor_is_paused_says_that_its_runs_wait(cast: Cast) -> None:
    assert "Its runs wait" not in await show(cast)
    await pauses.pause(Scope.VENDOR, "game_platform", reason="x", actor=None, actor_label="test")
    assert (await show(cast)).count("Its runs wait: Work with the Game Platform is paused") == 5
    await pauses.pause(Scope.KIND, "job_cleanup", reason="x", actor=None, actor_label="test", is_automatic=True)
    assert "Its runs wait: Cleanup stopped by itself" in await show(cast, f"/{await id_of()}")


async def test_running_now_queues_one_run_of_the_schedule(cast: Cast) -> None:
    before = await row()
    assert (await act(cast, "run")).headers["location"].endswith("?done=started")
    assert (await act(cast, "run")).headers["location"].endswith("?done=waits")
    runs = await database.fetch("select schedule_id, trigger, triggered_by, slot_at from job_runs")
    assert [tuple(run) for run in runs] == [(before["id"], "user", cast.admin.id, None)]
    assert (await row())["next_run_at"] == before["next_run_at"]
    assert "a person" in await show(cast, f"/{before['id']}")


async def test_running_a_paused_kind_or_one_that_is_off_says_so(
    cast: Cast, settings_changed: pytest.MonkeyPatch
) -> None:
    await pauses.pause(Scope.KIND, "job_cleanup", reason="x", actor=None, actor_label="test")
    assert (await act(cast, "run")).headers["location"].endswith("?done=held")
    settings_changed.setenv("GAME_PLATFORM_ENABLED", "false")
    get_settings.cache_clear()
    answer = await act(cast, "run", "game_platform_sync")
    assert answer.status_code == 422 and "is off" in answer.text


async def test_what_cannot_be_done_says_so(cast: Cast) -> None:
    assert "cannot be deleted" in (await act(cast, "delete")).text
    assert "Choose what to do" in (await act(cast, "explode")).text
    assert "Somebody else changed" in (await act(cast, "reset", version="7")).text
    assert "Somebody else changed" in (await act(cast, "reset", version="x")).text
    await create(cast)
    assert "Only a built-in schedule" in (await act(cast, "reset", "Nightly look")).text


async def test_a_schedule_that_is_gone_is_not_found(cast: Cast) -> None:
    async with await client_for(cast.admin) as browser:
        assert (await browser.get(f"{PAGE}/{uuid4()}")).status_code == 404
        for do in ("pause", "resume", "reset", "delete", "run"):
            answer = await browser.post(f"{PAGE}/{uuid4()}/actions", data={"do": do, "reason": "x", "version": "0"})
            assert answer.status_code == 404
        assert (await browser.post(f"{PAGE}/{uuid4()}", data={"cron": "* * * * *"})).status_code == 404


async def test_a_bad_filter_is_named_and_an_empty_list_says_how_to_get_one(cast: Cast) -> None:
    assert "“state”" in await show(cast, "?state=sleeping")
    assert "Nothing is paused." in await show(cast, "?state=paused")
    await database.execute("delete from job_schedules")
    assert "There is no schedule yet." in await show(cast)


async def test_a_kind_of_another_version_is_shown_and_cannot_run(cast: Cast) -> None:
    await database.execute("update job_schedules set kind = 'brew', payload = '{\"x\": 1}' where name = 'job_cleanup'")
    assert "job_cleanup" in await show(cast) or "Cleanup" in await show(cast)
    assert (await act(cast, "run")).status_code == 422
    assert "<h1" in await show(cast, f"/{await id_of()}")
