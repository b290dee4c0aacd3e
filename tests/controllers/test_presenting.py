"""Handles instead of names: switched in the header, for one session, on every page and in every file at once."""

import base64
import html
import io
import re
import zipfile
from collections import deque
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from app import database
from app.main import create_app
from app.security.policy import admins, coaches, signed_in
from tests.alerting import evaluate, make_player
from tests.cast import Cast, make_cast, make_competitor, make_team
from tests.clients import client_for
from tests.controllers.test_route_policies import policies_of, routes
from tests.league import ago, refresh, solve

# Everybody's first name, last name and address say so, wherever they turn up, in whatever case.
REAL = "qzreal"
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LINK = re.compile(r'(?:href|action|hx-get|data-src)="(/[^"]*)"')
NOT_PAGES = ("/static/", "/logout")
LABEL = re.compile(r"Competitor [2-9B-DF-HJ-NP-TV-XZ]{5}\b")
SHEET = {"content-type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
OWN_PICTURE = "/settings/second-factor/qr.svg"  # drawn only while somebody sets their own second factor up


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    people = [await _person(cast, number) for number in range(8)]
    await database.execute("update competitors set email = $1 || id || '@example.org'", REAL)
    await database.execute("update competitors set metactf_username = 'aa1' where id = $1", people[0])
    await refresh(cast.organization_id)
    return cast


async def _person(cast: Cast, number: int) -> UUID:
    away = 40 if number % 2 else 1
    name = f"Qzrealfirst Qzreallast{number // 2}"
    person = await make_player(
        cast.coach_a, name, team_id=cast.team_a if number < 4 else None, accessed_days=away, solved_days=away
    )
    for days in range(away, away + 3):
        await solve(person, 100, ago(days=days))
    await solve(person, 300, ago(days=away), source="flash_ctf")
    return person


async def _happen(client: httpx.AsyncClient, cast: Cast) -> None:
    """Whatever pages tell of a person happens to somebody."""
    people = [row["id"] for row in await database.fetch("select id from competitors order by created_at, id")]
    for path, data in (
        ("/competitors/duplicates/merge", {"kept": str(people[4]), "gone": str(people[5])}),
        ("/competitors/change", {"competitor": str(people[3]), "action": "archive"}),
        (f"/teams/{cast.team_a}/members/{people[2]}/remove", {}),
        ("/notifications/views", {"name": "Mine", "address": "/competitors", "is_watched": "yes"}),
    ):
        answer = await client.post(path, data=data)
        assert answer.status_code == 303, (path, answer.text)
    roster = f"first_name,last_name,email,division\nQzrealnew,Qzrealnewer,{REAL}new@example.org,high_school\n"
    answer = await client.post(
        "/competitors/import", data={"coach_id": str(cast.coach_a.id)}, files={"file": ("autumn.csv", roster)}
    )
    assert answer.status_code == 303
    await evaluate()


def _text(answer: httpx.Response) -> str:
    if "spreadsheet" in answer.headers.get("content-type", ""):
        book = zipfile.ZipFile(io.BytesIO(answer.content))
        return " ".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    return html.unescape(answer.text) + str(answer.headers)


def _shape(path: str) -> str:
    """Addresses that differ in ids, pages and sorts alone show the same kind of thing."""
    address = urlsplit(ID.sub("{id}", path))
    form = re.search(r"(?:^|&)(format|view|chart|do|state)=\w+", address.query)
    return f"{address.path}?{form[0].strip('&')}" if form else address.path


async def _walk(client: httpx.AsyncClient, starts: list[str]) -> dict[str, str]:
    """Every kind of page and file that can be reached by links, whole and as a part, with what it says."""
    found: dict[str, str] = {}
    ahead = deque(starts)
    while ahead:
        path = ahead.popleft().partition("#")[0]
        shape = _shape(path)
        if shape in found or path.startswith(NOT_PAGES):
            continue
        answer = await client.get(path, follow_redirects=True)
        if answer.status_code == 204:  # nothing new since the page that asks: the whole of it is asked for instead
            path = re.sub(r"[?&]seen=[^&]*", "", path)
            answer = await client.get(path)
        if answer.status_code == 405:
            found[shape] = ""
            continue
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        part = await client.get(path, headers={"HX-Request": "true", "HX-Request-Type": "partial"})
        found[shape] = _text(answer) + _text(part)
        ahead.extend(html.unescape(link) for link in LINK.findall(answer.text))
    return found


async def _starts(cast: Cast, role: str) -> list[str]:
    people = await database.fetch("select id from competitors order by created_at")
    chosen = "&".join(f"competitor={row['id']}" for row in people[:2])
    changes = await database.fetch("select id from roster_changes")
    uploads = await database.fetch("select id from roster_uploads")
    return [
        "/", "/leaderboard", "/competitors", "/competitors?show=archived", "/teams", "/alerts", "/timeline",
        "/notifications", "/search?q=qz", f"/compare?{chosen}", f"/competitors/change?{chosen}",
        "/reports/practice-hours", "/reports/practice-hours?format=xlsx", f"/teams/{cast.team_a}/delete",
        *(f"/competitors/changes/{row['id']}" for row in changes),
        *(f"/competitors/import/{row['id']}" for row in uploads),
        *(f"/competitors/{row['id']}" for row in people),
        *(["/admin/schedules/preview?cron=0+5+*+*+*&zone=UTC"] if role == "admin" else []),
    ]


def _missed(found: dict[str, str], role: str) -> list[str]:
    mine = {signed_in, coaches, admins} if role == "admin" else {signed_in, coaches}
    seen = {shape.partition("?")[0] for shape in found}
    return sorted(
        path for method, path, handler in routes(create_app())
        if method == "GET" and policies_of(handler)[0] in mine and path != OWN_PICTURE
        and not any(re.fullmatch(re.sub(r"{[^}]+}", "[^/]+", path), one) for one in seen)
    )


@pytest.mark.parametrize("role", ["coach", "admin"])
async def test_no_page_and_no_file_names_anybody(cast: Cast, role: str) -> None:
    async with await client_for(cast.coach_a if role == "coach" else cast.admin) as client:
        await _happen(client, cast)
        starts = await _starts(cast, role)
        named = {shape for shape, text in (await _walk(client, starts)).items() if REAL in text.lower()}
        await client.post("/presenting", data={"present": "on"})
        found = await _walk(client, starts)
    assert _missed(found, role) == [], "the walk must come by every page"
    assert len(named) > 25, "and by all that name people while nobody presents"
    assert sorted(shape for shape, text in found.items() if REAL in text.lower()) == []


async def test_people_without_a_handle_are_told_apart_by_the_same_label_everywhere() -> None:
    cast = await make_cast()
    people = [await make_competitor(cast.coach_a, f"Nia Abara{number}", team_id=cast.team_a) for number in range(30)]
    await database.execute("update competitors set metactf_username = null")
    await refresh(cast.organization_id)
    async with await client_for(cast.coach_a) as client, await client_for(cast.coach_a) as other:
        for browser in (client, other):
            await browser.post("/presenting", data={"present": "on"})
        roster = (await client.get("/competitors?format=csv")).text
        labels = set(LABEL.findall(roster))
        assert len(labels) == len(people)
        for path in ("/competitors", "/leaderboard", "/leaderboard?format=csv", f"/teams/{cast.team_a}"):
            assert set(LABEL.findall((await client.get(path)).text)) <= labels, path
        book = (await client.get("/reports/practice-hours?format=xlsx")).content
        assert labels <= set(LABEL.findall(" ".join(_text(httpx.Response(200, content=book, headers=SHEET)).split())))
        card = (await client.get(f"/competitors/{people[0]}")).text
        assert len(set(LABEL.findall(card))) == 1
        assert not labels & set(LABEL.findall((await other.get("/competitors?format=csv")).text))


@pytest.mark.parametrize(
    "path", ["/competitors?sort=name", "/leaderboard?sort=name", "/reports/practice-hours", "/teams"]
)
async def test_the_address_of_a_further_page_holds_no_name(path: str) -> None:
    cast = await make_cast()
    for number in range(120):
        person = await make_competitor(cast.coach_a, f"Qzreal{number} Qzreal{number}", team_id=cast.team_a)
        await make_team(cast.coach_a, f"Qzrealteam {number}")
    await solve(person, 10, ago(days=1))
    await refresh(cast.organization_id)
    async with await client_for(cast.coach_a) as client:
        text = (await client.get(path)).text
        cursors = re.findall(r"cursor=([\w-]+)", text)
        assert cursors
        for cursor in cursors:
            assert b"qzreal" not in base64.urlsafe_b64decode(cursor + "==").lower()
            separator = "&" if "?" in path else "?"
            following = (await client.get(f"{path}{separator}cursor={cursor}")).text
            assert "belongs to another list" not in following and "Qzreal" in following


async def test_it_leads_back_and_can_be_switched_off_again() -> None:
    cast = await make_cast()
    async with await client_for(cast.coach_a) as client:
        on = await client.post("/presenting", data={"present": "on", "next": "/competitors?sort=name"})
        assert on.status_code == 303 and on.headers["location"] == "/competitors?sort=name"
        assert 'value="off"' in (await client.get("/competitors")).text
        await client.post("/presenting", data={"present": "off"})
        assert 'value="on"' in (await client.get("/competitors")).text


async def test_it_is_this_session_that_presents() -> None:
    cast = await make_cast()
    await make_competitor(cast.coach_a, "Nia Abara", team_id=cast.team_a)
    async with await client_for(cast.coach_a) as projector, await client_for(cast.coach_a) as desk:
        await projector.post("/presenting", data={"present": "on"})
        assert "Abara" in (await desk.get("/competitors")).text


async def test_it_never_leads_to_another_site() -> None:
    cast = await make_cast()
    async with await client_for(cast.coach_a) as client:
        answer = await client.post("/presenting", data={"present": "on", "next": "//evil.example"})
        assert answer.headers["location"] == "/"
