from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest_asyncio

from app import database
from app.queries import drift
from app.queries.drift import Counts, Filter
from tests.cast import Cast, make_cast, make_competitor
from tests.services.rosters import as_admin, as_coach

DAY = timedelta(days=1)
NOW = datetime.now(UTC)


async def add(
    competitor_id: UUID | None, field: str = "team", *, subject: str = "competitor", subject_id: str = "",
    ours: str | None = None, theirs: str | None = None, state: str = "open", until: datetime | None = None,
) -> UUID:
    row: UUID = await database.fetchval(
        """insert into drift (organization_id, competitor_id, subject_type, subject_id, field, ours, theirs, state,
               ignored_until)
           values ((select organization_id from competitors where id = $1), $1, $2, $3, $4, $5, $6, $7, $8)
           returning id""",
        competitor_id, subject, subject_id or str(competitor_id), field, ours, theirs, state, until,
    )
    return row


@pytest_asyncio.fixture
async def cast() -> Cast:
    return await make_cast()


async def test_coaches_see_their_own_people_and_teams_and_admins_all(cast: Cast) -> None:
    a = await make_competitor(cast.coach_a, "Ana Ash", team_id=cast.team_a)
    b = await make_competitor(cast.coach_b, "Bo Beech", team_id=cast.team_b)
    of_a, of_b = await add(a, ours=str(cast.team_a)), await add(b, ours=str(cast.team_b))
    team_a = await add(None, "name", subject="team", subject_id=str(cast.team_a), ours="Firewall", theirs="Fire")
    stranger = await add(None, subject="stranger", subject_id="who-1", theirs="t")

    async def seen(reader: object) -> set[UUID]:
        page = await drift.list_drift(reader, Filter())  # type: ignore[arg-type]
        assert page.total == len(page.rows) == page.by_state.open
        return {row.id for row in page.rows}

    assert await seen(as_coach(cast.coach_a)) == {of_a, team_a}
    assert await seen(as_coach(cast.coach_b)) == {of_b}
    assert await seen(as_admin(cast.admin)) == {of_a, of_b, team_a, stranger}
    assert await drift.get_drift(as_coach(cast.coach_a), of_b) is None
    assert await drift.get_drift(as_coach(cast.coach_b), of_b)


async def test_teams_have_names_where_the_reader_may_see_them(cast: Cast) -> None:
    a = await make_competitor(cast.coach_a, "Ana Ash")
    row_id = await add(a, ours=str(cast.team_a), theirs=str(cast.team_b))
    row = await drift.get_drift(as_coach(cast.coach_a), row_id)
    assert row and (row.name, row.ours_name, row.theirs_name) == ("Ana Ash", "Firewall", None)
    row = await drift.get_drift(as_admin(cast.admin), row_id)
    assert row and (row.ours_name, row.theirs_name, row.agreed_name) == ("Firewall", "Backdoor", None)


async def test_filters_and_counts(cast: Cast) -> None:
    a = await make_competitor(cast.coach_a, "Ana Ash", team_id=cast.team_a)
    await add(a)
    await add(a, "status", state="ignored", until=NOW + DAY)
    await add(a, "username", state="ignored", until=NOW - DAY)
    await add(a, "points", state="resolved")
    reader = as_coach(cast.coach_a)
    page = await drift.list_drift(reader, Filter())
    assert {row.field for row in page.rows} == {"team", "username"} == set(page.by_field)
    assert page.by_state == Counts(open=2, ignored=1, resolved=1)
    for wanted, fields in (
        (Filter(state="ignored"), {"status"}), (Filter(state=""), {"team", "status", "username", "points"}),
        (Filter(field="team"), {"team"}), (Filter(competitor_id=a, state="resolved"), {"points"}),
        (Filter(team_id=cast.team_b), set()), (Filter(coach_id=cast.coach_a.id), {"team", "username"}),
        (Filter(subject="stranger"), set()), (Filter(page=2), set()), (Filter(page=-3), {"team", "username"}),
        (Filter(organization_id=cast.organization_id), {"team", "username"}),
    ):
        assert {row.field for row in (await drift.list_drift(reader, wanted)).rows} == fields


async def test_a_row_says_what_cannot_be_done_about_it(cast: Cast) -> None:
    a = await make_competitor(cast.coach_a, "Ana Ash")
    await add(a)
    await add(a, "status", ours="approved", theirs="denied")
    rows = {row.field: row for row in (await drift.list_drift(as_coach(cast.coach_a), Filter())).rows}
    assert (rows["team"].why_not_push, rows["team"].why_not_accept) == (None, None)
    assert rows["status"].why_not_push and rows["status"].why_not_accept is None


async def test_the_list_says_when_both_sides_were_compared(cast: Cast) -> None:
    assert await drift.compared_at() is None
    add_run = """insert into job_runs (kind, key, state, payload, started_at, result)
        values ('game_platform_roster_reconcile', gen_random_uuid()::text, $1, $2::jsonb, $3, $4::jsonb)"""
    await database.execute(add_run, "succeeded", "{}", NOW - 2 * DAY, '{"complete": 1}')
    await database.execute(add_run, "succeeded", "{}", NOW - DAY, '{"complete": 0}')
    await database.execute(add_run, "succeeded", '{"team_id": "x"}', NOW - DAY, '{"complete": 1}')
    await database.execute(add_run, "failed", "{}", NOW - DAY, None)
    assert (await drift.list_drift(as_coach(cast.coach_a), Filter())).as_of == NOW - 2 * DAY
