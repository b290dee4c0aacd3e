"""No line of the log names anybody: a sign-in, an import, a search, a refused webhook and work that fails."""

import io

import httpx
import pytest

from app.jobs import runner
from app.jobs.tasks import TASKS
from app.queue import enqueue
from app.services import alarms
from app.tables.jobs import Trigger
from tests.cast import make_cast
from tests.clients import PASSWORD, client_for, stranger
from tests.test_logs import written  # noqa: F401

CANARY = "qzcanary"
WORDS = f"{CANARY}@example.org of https://x/?token={CANARY}"
ROSTER = f"first_name,last_name,email,division\n{CANARY}first,{CANARY}last,{CANARY}@example.org,high_school\n"


async def test_nobody_is_named_in_the_log(written: io.StringIO) -> None:  # noqa: F811
    cast = await make_cast()
    async with stranger() as visitor:
        await visitor.get("/login")
        await visitor.post("/login", data={"email": f"{CANARY}@example.org", "password": f"{CANARY}{PASSWORD}"})
        await visitor.get(f"/{CANARY}?token={CANARY}", headers={"authorization": f"Bearer {CANARY}"})
    async with await client_for(cast.admin) as admin:
        answer = await admin.post(
            "/competitors/import", data={"coach_id": str(cast.coach_a.id)}, files={"file": (f"{CANARY}.csv", ROSTER)}
        )
        assert answer.status_code == 303
        answer = await admin.get("/competitors", params={"q": CANARY})
        assert answer.status_code == 200
        await admin.post("/admin/alarms/settings/webhook", data={"do": "save", "url": f"https://127.0.0.1/{CANARY}"})
    await _fail_at_the_vendor()
    await alarms.look()
    text = written.getvalue()
    assert "run failed" in text, "the log was looked at"
    for word in (CANARY, "@example.org", PASSWORD):
        assert word not in text.lower()


async def _fail_at_the_vendor() -> None:
    async def broken(*arguments: object) -> dict[str, int]:
        raise httpx.ConnectError(WORDS)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TASKS, "job_cleanup", broken)
        asked = await enqueue("job_cleanup", trigger=Trigger.USER)
        await runner.run(asked.run_id, "worker")
