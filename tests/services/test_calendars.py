"""The season's breaks: set and taken by admins of the organization, told in the audit and on the timeline."""

import asyncio
from datetime import date
from uuid import UUID, uuid4

import pytest

from app import database
from app.domain.readers import Reader, Sight
from app.queries.calendars import breaks
from app.services import calendars
from app.services.calendars import CalendarError, NotFound
from tests.cast import Cast, Person, make_cast, make_organization

FIRST, LAST = date(2026, 12, 21), date(2027, 1, 3)


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


def reader(person: Person) -> Reader:
    return Reader(
        user_id=person.id, session_id=uuid4(), role=person.role, name="Somebody", time_zone="UTC", theme="system",
        organization_ids=(person.organization_id,), sight=Sight(sees_everyone=person.role == "admin"),
    )


async def add(cast: Cast, **changes: object) -> UUID:
    wanted = {"name": "Winter break", "first_day": FIRST, "last_day": LAST, **changes}
    return await calendars.add_break(reader(cast.admin), cast.organization_id, **wanted)  # type: ignore[arg-type]


async def traces() -> list[tuple[str, str]]:
    rows = await database.fetch(
        "select action, (select string_agg(kind, ' ' order by id) from activity_events) from audit_log order by id"
    )
    return [tuple(row) for row in rows]


async def test_a_break_is_kept_and_told(cast: Cast) -> None:
    break_id = await add(cast, name="  Winter   break ")
    (kept,) = await breaks(cast.organization_id)
    assert (kept.id, kept.name, kept.first_day, kept.last_day) == (break_id, "Winter break", FIRST, LAST)
    assert await traces() == [("calendar.break_added", "calendar_break_added")]
    assert await breaks(await make_organization("Other")) == ()


async def test_the_same_break_added_twice_is_there_once(cast: Cast) -> None:
    first, second = await asyncio.gather(add(cast), add(cast))
    assert first == second and len(await breaks(cast.organization_id)) == 1 and len(await traces()) == 1
    await add(cast, name="Another")
    assert len(await breaks(cast.organization_id)) == 2


async def test_a_removed_break_is_gone_and_told(cast: Cast) -> None:
    break_id = await add(cast)
    await calendars.remove_break(reader(cast.admin), cast.organization_id, break_id)
    assert await breaks(cast.organization_id) == ()
    assert [action for action, _kinds in await traces()] == ["calendar.break_added", "calendar.break_removed"]
    with pytest.raises(NotFound):
        await calendars.remove_break(reader(cast.admin), cast.organization_id, break_id)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"), ({"name": "x" * 81}, "name"), ({"name": "a\x00b"}, "name"),
        ({"first_day": None}, "first_day"), ({"last_day": None}, "last_day"),
        ({"last_day": date(2026, 12, 20)}, "last_day"), ({"last_day": date(2027, 12, 22)}, "last_day"),
        ({"first_day": date(1, 1, 1)}, "first_day"),
    ],
)
async def test_a_bad_break_is_refused(cast: Cast, changes: dict[str, object], field: str) -> None:
    with pytest.raises(CalendarError) as refused:
        await add(cast, **changes)
    assert refused.value.field == field
    assert await breaks(cast.organization_id) == ()


async def test_only_an_admin_of_the_organization_sets_it(cast: Cast) -> None:
    break_id = await add(cast)
    elsewhere = await make_organization("Other")
    for who, organization_id in ((cast.coach_a, cast.organization_id), (cast.admin, elsewhere)):
        with pytest.raises(NotFound):
            await calendars.add_break(
                reader(who), organization_id, name="x", first_day=FIRST, last_day=LAST,
            )
        with pytest.raises(NotFound):
            await calendars.remove_break(reader(who), organization_id, break_id)
    assert len(await breaks(cast.organization_id)) == 1
