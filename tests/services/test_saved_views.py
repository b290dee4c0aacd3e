"""A watched list tells once of each who enters and each who leaves, and only its owner."""

from uuid import UUID

import pytest

from app import database
from app.domain.saved_views import BadView, parse_address
from app.queries.saved_views import of_reader, rows_of
from app.services import saved_views
from app.services.job_runs import LeaseLost
from app.services.saved_views import NotFound
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.readers import reader_for
from tests.services.platform import claim_again, claim_run


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    await make_competitor(cast.coach_a, "Ada Prime", status="profile")
    await make_competitor(cast.coach_b, "Bea Secret", status="profile")
    return cast


async def save(person: Person, address: str = "/competitors?status=profile", *, name: str = "Papers missing") -> UUID:
    return await saved_views.save(await reader_for(person), name=name, address=address, is_watched=True)


async def look() -> dict[str, int]:
    return await saved_views.look(await claim_run("alerts_evaluate"), rows_of)


async def told(person: Person) -> list[tuple[str, str]]:
    rows = await database.fetch(
        """select n.kind, c.first_name from notifications n join competitors c on c.id = n.competitor_id
           where n.user_id = $1 order by n.id""",
        person.id,
    )
    return [tuple(row) for row in rows]


async def move(first_name: str, status: str) -> None:
    await database.execute("update competitors set status = $2 where first_name = $1", first_name, status)


async def test_entering_and_leaving_give_one_notice_each(cast: Cast) -> None:
    await save(cast.coach_a)
    assert await look() == {"views": 1, "entered": 0, "left": 0}
    await make_competitor(cast.coach_a, "Cleo New", status="profile")
    await move("Ada", "compliance")
    assert await look() == {"views": 1, "entered": 1, "left": 1}
    assert await look() == {"views": 1, "entered": 0, "left": 0}
    assert await told(cast.coach_a) == [("view_entered", "Cleo"), ("view_left", "Ada")]
    await move("Ada", "profile")
    await look()
    assert (await told(cast.coach_a))[2:] == [("view_entered", "Ada")]
    assert await told(cast.coach_b) == []


async def test_a_view_shows_what_its_page_shows_that_reader(cast: Cast) -> None:
    await save(cast.coach_a)
    await save(cast.admin)
    await look()
    assert [view.rows for view in await of_reader(cast.coach_a.id)] == [1]
    assert [view.rows for view in await of_reader(cast.admin.id)] == [2]
    await database.execute("update competitors set coach_id = $1", cast.coach_b.id)
    await look()
    assert await told(cast.coach_a) == [("view_left", "Ada")] and await told(cast.admin) == []


async def test_the_first_look_and_the_first_after_a_pause_tell_nothing(cast: Cast) -> None:
    view_id, reader = await save(cast.coach_a), await reader_for(cast.coach_a)
    await look()
    await saved_views.watch(reader, view_id, is_watched=False)
    await make_competitor(cast.coach_a, "Cleo New", status="profile")
    assert (await look())["views"] == 0
    await saved_views.watch(reader, view_id, is_watched=True)
    await look()
    assert await told(cast.coach_a) == []


async def test_a_run_that_lost_its_claim_tells_nothing(cast: Cast) -> None:
    await save(cast.coach_a)
    await look()
    await move("Ada", "compliance")
    claim = await claim_run("alerts_evaluate")
    await claim_again(claim)
    with pytest.raises(LeaseLost):
        await saved_views.look(claim, rows_of)
    assert await told(cast.coach_a) == []
    await look()
    assert await told(cast.coach_a) == [("view_left", "Ada")]


async def test_a_view_is_its_owners_alone(cast: Cast) -> None:
    view_id, other = await save(cast.coach_a), await reader_for(cast.coach_b)
    with pytest.raises(NotFound):
        await saved_views.remove(other, view_id)
    with pytest.raises(NotFound):
        await saved_views.watch(other, view_id, is_watched=False)
    await saved_views.remove(await reader_for(cast.coach_a), view_id)
    assert await of_reader(cast.coach_a.id) == ()


@pytest.mark.parametrize(("address", "name", "field"), [
    ("/competitors", "", "name"), ("/competitors", "x" * 81, "name"), ("/competitors", "a\x00b", "name"),
    ("/leaderboard?q=a", "Fine", "is_watched"), ("/settings", "Fine", "address"), ("http://[", "Fine", "address"),
    ("/competitors?q=%00", "Fine", "address"), ("/competitors?q=" + "a" * 1001, "Fine", "address"),
])
async def test_what_cannot_be_kept_is_refused_by_field(cast: Cast, address: str, name: str, field: str) -> None:
    with pytest.raises(BadView) as refusal:
        await save(cast.coach_a, address, name=name)
    assert refusal.value.field == field and await of_reader(cast.coach_a.id) == ()


async def test_the_same_name_twice_is_refused(cast: Cast) -> None:
    await save(cast.coach_a)
    with pytest.raises(BadView):
        await save(cast.coach_a, "/competitors?division=college")


def test_the_host_and_the_place_in_the_list_are_left_out() -> None:
    address = parse_address("https://s.example/competitors?status=profile&cursor=x&seen=y&run=z")
    assert (address.url, address.can_be_watched) == ("/competitors?status=profile", True)
