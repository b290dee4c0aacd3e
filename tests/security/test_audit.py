import json
from uuid import uuid4

import asyncpg
import pytest

from app import database
from app.security import audit, passwords, sessions
from tests.cast import make_cast
from tests.clients import PASSWORD, client_for


async def test_an_entry_says_who_what_before_and_after() -> None:
    cast = await make_cast()
    token = await sessions.open_session(cast.coach_a.id, address="", user_agent="")
    _, reader = await sessions.read_session(token)
    await audit.record(
        "team.renamed", actor=reader, subject_type="team", subject_id=cast.team_a, before={"name": "A"},
        after={"name": "B", "id": cast.team_a}, organization_id=cast.organization_id,
    )
    row = await database.fetchrow("select * from audit_log")
    assert row and row["actor_id"] == cast.coach_a.id and row["actor"] == "Ada Alder"
    assert (row["action"], row["subject_id"]) == ("team.renamed", str(cast.team_a))
    assert json.loads(row["before"]) == {"name": "A"}
    assert json.loads(row["after"]) == {"name": "B", "id": str(cast.team_a)}


async def test_where_nobody_is_signed_in_the_label_says_who() -> None:
    await audit.record("user.created", actor=None, actor_label="command line")
    row = await database.fetchrow("select actor_id, actor, before, after from audit_log")
    assert row and tuple(row) == (None, "command line", None, None)


async def test_a_disclosure_is_one_row_per_person() -> None:
    people = [uuid4(), uuid4()]
    fields = ["email", "first_name"]
    await audit.disclose(people, purpose="push", recipient="Game Platform", user_id=None, fields=fields)
    rows = await database.fetch("select * from disclosure_log order by id")
    assert [row["competitor_id"] for row in rows] == people
    assert rows[0]["fields"] == fields and rows[0]["recipient"] == "Game Platform"


async def refuse_audit_rows() -> None:
    await database.execute_script(
        """create function refuse() returns trigger language plpgsql as $$ begin raise exception 'disk full'; end $$;
           create trigger refuse before insert on audit_log for each row execute function refuse()"""
    )


async def allow_audit_rows() -> None:
    await database.execute_script("drop trigger refuse on audit_log; drop function refuse")


@pytest.mark.parametrize(
    ("path", "form", "untouched"),
    [
        ("/settings/preferences", {"theme": "dark"}, "select theme = 'system' from users where id = $1"),
        ("/settings/second-factor", {"password": PASSWORD}, "select totp_secret is null from users where id = $1"),
        ("/settings/sessions/end-others", {}, "select count(*) = 2 from sessions where user_id = $1"),
        ("/logout", {}, "select count(*) = 2 from sessions where user_id = $1"),
    ],
)
async def test_what_cannot_be_audited_does_not_happen(path: str, form: dict[str, str], untouched: str) -> None:
    cast = await make_cast()
    await database.execute("update users set password_hash = $1", await passwords.hash_password(PASSWORD))
    await sessions.open_session(cast.coach_a.id, address="", user_agent="")
    await refuse_audit_rows()
    try:
        async with await client_for(cast.coach_a) as browser:
            assert (await browser.post(path, data=form)).status_code == 500
        assert await database.fetchval(untouched, cast.coach_a.id)
        with pytest.raises(asyncpg.RaiseError):
            await audit.record("anything", actor=None)
    finally:
        await allow_audit_rows()
