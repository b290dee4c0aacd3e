"""Editing one competitor: who may, what is refused in words, what is noted as set by hand, and the traces."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app import database
from app.domain.roster_form import FIELDS, read
from app.services import roster
from app.services.roster import Edited, NotFound, RosterError
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.services.team_pushes import reader_of


async def row_of(competitor_id: UUID) -> dict[str, Any]:
    row = await database.fetchrow("select * from competitors where id = $1", competitor_id)
    assert row
    return dict(row)


def values_of(row: Mapping[str, Any], **changes: object) -> dict[str, object]:
    return {name: row[name] for name in FIELDS} | changes


async def edit(person: Person, competitor_id: UUID, **changes: object) -> Edited:
    row = await row_of(competitor_id)
    return await roster.edit(
        reader_of(person), competitor_id, values_of(row, **changes), seen=row["updated_at"].isoformat()
    )


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def test_an_edit_is_stored_noted_and_traced(cast: Cast) -> None:
    someone = await make_competitor(cast.coach_a, "Ada Prime", status="profile")
    before = await row_of(someone)
    edited = await edit(cast.coach_a, someone, first_name="Ida", release_signed=True, agreement_signed=True)
    after = await row_of(someone)
    assert edited == Edited(("agreement_signed", "first_name", "release_signed"), False)
    assert (after["first_name"], after["status"]) == ("Ida", "compliance")
    assert json.loads(after["edited_fields"]) == ["agreement_signed", "first_name", "release_signed"]
    assert after["stage_since"] > before["stage_since"] and after["updated_at"] > before["updated_at"]
    audited = await database.fetchrow("select actor_id, action, before, after from audit_log")
    assert audited and (audited["actor_id"], audited["action"]) == (cast.coach_a.id, "competitor.edited")
    assert json.loads(audited["before"])["first_name"] == "Ada" and json.loads(audited["after"])["first_name"] == "Ida"
    event = await database.fetchrow("select kind, competitor_id, details from activity_events")
    assert event and (event["kind"], event["competitor_id"]) == ("competitor_edited", someone)
    assert "Ida" not in event["details"]
    assert await database.fetchval("select is_stale from standing_versions")


async def test_nothing_changed_is_nothing_done(cast: Cast) -> None:
    someone = await make_competitor(cast.coach_a, "Ada Prime")
    before = await row_of(someone)
    assert await edit(cast.coach_a, someone) == Edited((), True)
    assert await row_of(someone) == before
    assert await database.fetchval("select count(*) from audit_log") == 0


async def test_the_stage_lasts_while_the_status_stays(cast: Cast) -> None:
    someone = await make_competitor(cast.coach_a, "Ada Prime")
    before = await row_of(someone)
    await edit(cast.coach_a, someone, grade="11")
    assert (await row_of(someone))["stage_since"] == before["stage_since"]
    await database.execute("update competitors set status = 'profile' where id = $1", someone)
    assert (await row_of(someone))["stage_since"] > before["stage_since"]
    long_ago: datetime = before["stage_since"] - timedelta(days=9)
    await database.execute(
        "update competitors set status = 'complete', stage_since = $2 where id = $1", someone, long_ago
    )
    assert (await row_of(someone))["stage_since"] == long_ago


async def test_who_changed_it_first_wins_and_the_other_is_told(cast: Cast) -> None:
    someone = await make_competitor(cast.coach_a, "Ada Prime")
    row = await row_of(someone)
    await edit(cast.coach_a, someone, grade="11")
    with pytest.raises(RosterError, match="meanwhile"):
        await roster.edit(
            reader_of(cast.admin), someone, values_of(row, grade="12"), seen=row["updated_at"].isoformat()
        )
    assert (await row_of(someone))["grade"] == "11"


async def test_a_member_keeps_the_division_of_the_team(cast: Cast) -> None:
    someone = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    with pytest.raises(RosterError, match="Firewall plays in another division") as refused:
        await edit(cast.coach_a, someone, division="college")
    assert refused.value.field == "division" and (await row_of(someone))["division"] == "high_school"


async def test_an_address_is_one_persons_on_a_roster(cast: Cast) -> None:
    someone, other = await make_competitor(cast.coach_a, "Ada Prime"), await make_competitor(cast.coach_a, "Al Twin")
    elsewhere = await make_competitor(cast.coach_b, "Bea Far")
    taken = str((await row_of(other))["email"]).upper()
    with pytest.raises(RosterError, match="Another competitor on this roster") as refused:
        await edit(cast.coach_a, someone, email=taken)
    assert refused.value.field == "email"
    await database.execute("update competitors set archived_at = now() where id = $1", other)
    assert (await edit(cast.coach_a, someone, email=taken)).fields == ("email",)
    theirs = (await row_of(elsewhere))["email"]
    assert (await edit(cast.coach_a, someone, email=theirs)).fields == ("email",)


async def test_nobody_edits_whom_they_do_not_see(cast: Cast) -> None:
    someone = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    row = await row_of(someone)
    for reader in (reader_of(cast.coach_b), reader_of(cast.coach_b, cast.team_b)):
        with pytest.raises(NotFound):
            await roster.edit(reader, someone, values_of(row, grade="9"), seen=row["updated_at"].isoformat())
    with pytest.raises(NotFound):
        await roster.edit(reader_of(cast.coach_a), uuid4(), {}, seen="")
    await roster.edit(
        reader_of(cast.coach_b, cast.team_a), someone, values_of(row, grade="9"), seen=row["updated_at"].isoformat()
    )
    assert (await row_of(someone))["grade"] == "9"


async def test_an_archived_competitor_is_not_edited(cast: Cast) -> None:
    someone = await make_competitor(cast.coach_a, "Ada Prime")
    await database.execute("update competitors set archived_at = now() where id = $1", someone)
    with pytest.raises(RosterError, match="archived"):
        await edit(cast.coach_a, someone, grade="9")


async def test_a_missing_e_mail_takes_the_competitor_back_to_pending(cast: Cast) -> None:
    someone = await make_competitor(cast.coach_a, "Ada Prime", status="compliance")
    await edit(cast.coach_a, someone, email=None)
    assert (await row_of(someone))["status"] == "pending"


def test_the_form_says_what_is_wrong_with_which_field() -> None:
    values, problems = read({
        "first_name": "  Ada ", "last_name": "", "email": "no address", "division": "kindergarten", "grade": "",
        "school_id": "x" * 201, "release_signed": "yes",
    })
    assert set(problems) == {"last_name", "email", "division", "school_id"}
    assert (values["first_name"], values["grade"], values["release_signed"], values["data_consent"]) == (
        "Ada", None, True, False
    )
