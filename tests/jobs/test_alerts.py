"""The two kinds as a worker runs them: found, told, mailed, and a second run with nothing to do."""

import json
import shutil

from app import database
from app.jobs import runner
from app.queue import enqueue
from app.settings import get_settings
from app.tables.jobs import Trigger
from tests.alerting import make_player
from tests.cast import make_cast


async def run(kind: str) -> dict[str, int]:
    enqueued = await enqueue(kind, trigger=Trigger.COMMAND)
    await runner.run(enqueued.run_id, "worker")
    row = await database.fetchrow("select state, result from job_runs where id = $1", enqueued.run_id)
    assert row and row["state"] == "succeeded"
    counts: dict[str, int] = json.loads(row["result"])
    return counts


async def test_from_a_cause_to_the_mail_about_it() -> None:
    shutil.rmtree(get_settings().var_dir / "mail", ignore_errors=True)
    cast = await make_cast()
    await make_player(cast.coach_a, "Ada Away", accessed_days=30, solved_days=40)
    await database.execute(
        """insert into notification_preferences (user_id, mail, quiet_from_hour, quiet_until_hour)
           values ($1, 'soon', 0, 0)""",
        cast.coach_a.id,
    )
    found = await run("alerts_evaluate")
    assert (found["people"], found["opened"], found["views"], found["entered"]) == (1, 1, 0, 0)
    assert await run("notifications") == {"mails": 1, "notices": 1, "suppressed": 0, "failed": 0}
    (mail,) = (get_settings().var_dir / "mail").glob("*.eml")
    assert "Sideline: 1 to act on" in mail.read_text() and "Ada Away" not in mail.read_text()
    assert (await run("alerts_evaluate"))["opened"] == 0
    assert (await run("notifications"))["mails"] == 0
