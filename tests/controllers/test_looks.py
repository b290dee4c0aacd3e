"""Since you last looked: what is new to this coach, and to nobody else."""

import json
import re
from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from tests.cast import Cast, Person, make_cast, make_competitor, make_organization
from tests.clients import client_for, stranger
from tests.league import ago, refresh, solve

NOTHING = "Nothing is new since you last looked"


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    for name, points in (("Ann Own", 300), ("Al Steady", 200), ("Bea Secret", 300)):
        coach, team = (cast.coach_b, cast.team_b) if name.startswith("Bea") else (cast.coach_a, cast.team_a)
        await solve(await make_competitor(coach, name, team_id=team), points, ago(days=5))
    await database.execute("update competitors set created_at = created_at - interval '1 hour'")
    await database.execute("update team_memberships set created_at = created_at - interval '1 hour'")
    await refresh(cast.organization_id)
    return cast


async def since(person: Person, query: str = "") -> str:
    async with await client_for(person) as client:
        answer = await client.get(f"/{query}")
    assert answer.status_code == 200
    found = re.search(r'<div class="since">(.*?)</div>\s*</section>', answer.text, re.DOTALL)
    assert found
    return " ".join(re.sub(r"<[^>]*>", " ", found[1]).split())


async def mark(person: Person, **changes: str) -> httpx.Response:
    form = {"organization": str(person.organization_id), "until": "", "next": "/?window=7", **changes}
    async with await client_for(person) as client:
        return await client.post("/looks", data=form)


async def find_solves(name: str, points: int, count: int) -> UUID:
    """As a sync does it: solves, and the event that tells of them."""
    person = await database.fetchrow("select id, organization_id from competitors where first_name = $1", name)
    assert person
    for _ in range(count):
        await solve(person["id"], points, ago(hours=1))
    await database.execute(
        """insert into activity_events (organization_id, kind, competitor_id, run_id, details)
           values ($1, 'solves_found', $2, $3, $4::jsonb)""",
        person["organization_id"], person["id"], uuid4(), json.dumps({"new_solves": count}),
    )
    await refresh(person["organization_id"])
    return UUID(str(person["id"]))


async def test_the_first_look_says_what_will_be_here(cast: Cast) -> None:
    assert (await since(cast.coach_a)).startswith("Mark what you see as seen")
    answer = await mark(cast.coach_a)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?window=7")
    assert NOTHING in await since(cast.coach_a)
    told = await database.fetchval("select actor from audit_log where action = 'overview_seen'")
    assert told == "Ada Alder"


async def test_two_coaches_see_their_own_news(cast: Cast) -> None:
    for coach in (cast.coach_a, cast.coach_b, cast.admin):
        await mark(coach)
    await find_solves("Bea", 500, 2)
    await find_solves("Al", 250, 1)
    own = await since(cast.coach_a)
    assert "1 new solve Al Steady +1" in own and "Bea" not in own
    theirs = await since(cast.coach_b)
    assert "2 new solves Bea Secret +2" in theirs and "Al Steady" not in theirs
    everybody = await since(cast.admin)
    assert "3 new solves Bea Secret +2, Al Steady +1" in everybody


async def test_ranks_are_compared_with_those_of_the_look(cast: Cast) -> None:
    """Ann and Bea share the first place and Al is third; then Al overtakes both."""
    await mark(cast.coach_a)
    await find_solves("Al", 900, 1)
    assert "▲ 1 moved up Al Steady ▲ 2" in await since(cast.coach_a)
    assert "▼ 1 moved down Ann Own ▼ 1" in await since(cast.coach_a)
    await mark(cast.coach_a)
    assert NOTHING in await since(cast.coach_a)


async def test_the_roster_and_alerts_are_news_too(cast: Cast) -> None:
    await mark(cast.coach_a)
    await make_competitor(cast.coach_a, "New Nell", team_id=cast.team_a)
    await make_competitor(cast.coach_b, "Not Mine", team_id=cast.team_b)
    await database.execute("update competitors set archived_at = now() where first_name = 'Al'")
    await database.execute(
        """insert into alerts (organization_id, rule, subject, competitor_id, state)
           select organization_id, 'inactive', id::text, id, 'open' from competitors
           where first_name in ('Ann', 'Bea')"""
    )
    told = await since(cast.coach_a)
    assert "2 roster changes 1 new, 1 archived" in told
    assert "1 new alert Ann Own" in told


async def test_what_came_after_the_page_was_shown_stays_new(cast: Cast) -> None:
    shown = await database.fetchval("select now()")
    await find_solves("Ann", 50, 1)
    await mark(cast.coach_a, until=shown.isoformat())
    assert "1 new solve" in await since(cast.coach_a)
    await mark(cast.coach_a, until=ago(days=3).isoformat())
    assert "1 new solve" in await since(cast.coach_a)
    assert await database.fetchval("select seen_at from looks") == shown


@pytest.mark.parametrize(
    "until", ["", "yesterday", "9999-12-31T23:59:59-12:00", "2100-01-01T00:00:00+00:00", "2026-01-01"]
)
async def test_a_moment_that_cannot_be_is_now(cast: Cast, until: str) -> None:
    assert (await mark(cast.coach_a, until=until)).status_code == 303
    assert await database.fetchval("select now() - seen_at between interval '0' and interval '1 minute' from looks")


async def test_the_filters_hold_for_the_news(cast: Cast) -> None:
    await mark(cast.admin)
    await find_solves("Bea", 500, 2)
    assert "2 new solves" in await since(cast.admin, f"?coach={cast.coach_b.id}")
    assert "new solve" not in await since(cast.admin, f"?coach={cast.coach_a.id}")


async def test_only_ones_own_organization_can_be_marked(cast: Cast) -> None:
    other = await make_organization("Southern League")
    for organization in (str(other), "x", ""):
        assert (await mark(cast.coach_a, organization=organization)).status_code == 404
    assert (await mark(cast.player)).status_code == 403
    assert (await mark(cast.coach_a, next="https://evil.example")).headers["location"] == "/"
    async with stranger() as client:
        assert (await client.post("/looks")).status_code in (303, 403)
    assert await database.fetchval("select count(*) from looks") == 1
