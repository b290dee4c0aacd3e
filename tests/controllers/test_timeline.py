"""/timeline: what happened to the reader's own people and teams, in order, and nobody else's."""

import csv
import html
import io
import re
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from app.domain.readers import Reader, Sight
from app.services import calendars, teams
from app.services.roster_import import import_roster
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.clients import client_for, stranger
from tests.league import ago, solve

PATH = "/timeline"
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
FOREIGN = ("Bea Secret", "Backdoor", "Hidden Lock")


@pytest.fixture
async def cast() -> Cast:
    """Solves, a Flash CTF and changes of teams of both coaches; nobody is new."""
    cast = await make_cast()
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "Aron Zero", division="college")
    bea = await make_competitor(cast.coach_b, "Bea Secret", team_id=cast.team_b)
    await database.execute("update competitors set created_at = now() - interval '300 days'")
    noon = ago(days=1).replace(hour=12)
    for points, hour in ((100, 12), (50, 11)):
        await solve(ada, points, noon.replace(hour=hour))
    await solve(bea, 900, noon)
    await play(ada, "November Flash CTF", ago(days=3))
    await teams.rename(reader(cast.coach_a), cast.team_a, "Firewall Two")
    await teams.rename(reader(cast.coach_b), cast.team_b, "Hidden Lock")
    return cast


def reader(person: Person) -> Reader:
    is_admin = person.role == "admin"
    return Reader(
        user_id=person.id, session_id=uuid4(), role=person.role, name="Somebody", time_zone="UTC", theme="system",
        organization_ids=(person.organization_id,), sight=Sight(is_admin, None if is_admin else person.id),
    )


async def play(competitor_id: UUID, name: str, at: datetime) -> None:
    await database.execute(
        """insert into game_platform_flash_ctf_events (competitor_id, syned_user_id, event_id, name, challenges_solved,
               score, rank, started_at)
           values ($1::uuid, $1::uuid::text, $2, $2, 3, 300, 12, $3)""",
        competitor_id, name, at,
    )


async def id_of(first_name: str) -> UUID:
    return UUID(str(await database.fetchval("select id from competitors where first_name = $1", first_name)))


async def get(person: Person, query: str = "", headers: dict[str, str] | None = None) -> httpx.Response:
    async with await client_for(person) as client:
        response = await client.get(f"{PATH}{query}", headers=headers)
    assert response.status_code == 200
    return response


def told(text: str) -> list[str]:
    """The lines as a reader sees them, without kind and time."""
    found = re.findall(r'<span class="what">(.*?)</span>\s*</li>\s*(?=<li class="happened">|</ol>)', text, re.DOTALL)
    plain = (re.sub(r"<details>.*?</details>|<[^>]+>", "", line, flags=re.DOTALL) for line in found)
    return [" ".join(html.unescape(line).split()) for line in plain]


async def rows(person: Person, query: str = "") -> list[dict[str, str]]:
    response = await get(person, f"{query or '?'}&format=csv")
    return list(csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff"))))


async def test_a_coach_reads_their_own_newest_first(cast: Cast) -> None:
    text = (await get(cast.coach_a)).text
    assert told(text) == [
        "Firewall Two was renamed by Ada Alder",
        "Ada Prime solved 2 challenges (150 points) Cryptography 2",
        "Ada Prime played November Flash CTF (300 points) rank 12",
    ]
    assert not [name for name in FOREIGN if name in text]


async def test_an_admin_reads_everybodys(cast: Cast) -> None:
    lines = told((await get(cast.admin)).text)
    assert len(lines) == 5 and any(line.startswith("Bea Secret solved") for line in lines)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?kind=solves", 1), ("?kind=flash_ctfs", 1), ("?kind=teams", 1), ("?kind=roster", 0), ("?kind=platform", 0),
        ("?division=college", 0), ("?window=7", 3), ("?from=2020-01-01&to=2020-02-01", 0),
    ],
)
async def test_filters_choose(cast: Cast, query: str, count: int) -> None:
    assert len(told((await get(cast.coach_a, query)).text)) == count


async def test_the_chart_counts_what_the_file_lists(cast: Cast) -> None:
    for query in ("", "?kind=solves", f"?person={await id_of('Ada')}"):
        listed = await rows(cast.coach_a, query)
        assert f"{len(listed)} event" in (await get(cast.coach_a, query)).text


async def test_one_person_alone(cast: Cast) -> None:
    lines = told((await get(cast.coach_a, f"?person={await id_of('Ada')}")).text)
    assert len(lines) == 2 and all(line.startswith("Ada Prime") for line in lines)
    text = html.unescape((await get(cast.coach_a, f"?person={await id_of('Bea')}")).text)
    assert "“person” is not known; everybody is shown." in text and "Bea Secret" not in text


async def test_newcomers_of_a_day_are_one_line(cast: Cast) -> None:
    for number in range(7):
        await make_competitor(cast.coach_a, f"New {number}")
    (line, *_rest) = told((await get(cast.coach_a, "?kind=roster")).text)
    assert line.endswith("and 2 more joined the roster")


async def test_somebody_elses_team_has_no_name_here(cast: Cast) -> None:
    """A person came from a team that this coach does not see."""
    await database.execute(
        """insert into activity_events (organization_id, kind, competitor_id, team_id)
           values ($1, 'member_removed', $2, $3)""",
        cast.organization_id, await id_of("Ada"), cast.team_b,
    )
    text = (await get(cast.coach_a, "?kind=teams")).text
    assert told(text)[0] == "Ada Prime left the team" and "Hidden Lock" not in text


async def test_what_the_platform_was_told_of_a_team_and_its_members_is_about_teams(cast: Cast) -> None:
    for kind in ("team_pushed", "membership_pushed"):
        await database.execute(
            """insert into activity_events (organization_id, kind, competitor_id, team_id)
               values ($1, $2, $3, $4)""",
            cast.organization_id, kind, await id_of("Ada") if kind == "membership_pushed" else None, cast.team_a,
        )
    lines = told((await get(cast.coach_a, "?kind=teams")).text)
    assert lines[0].startswith("Ada Prime is on the team on the Game Platform too")
    assert lines[1].startswith("Firewall") and lines[1].endswith("is on the Game Platform")
    assert told((await get(cast.coach_a, "?kind=roster")).text) == []


async def test_a_team_that_is_gone_is_told_to_who_deleted_it(cast: Cast) -> None:
    await database.execute(
        """insert into activity_events (organization_id, kind, user_id, details)
           values ($1, 'team_deleted', $2, '{"name": "Old Guard"}')""",
        cast.organization_id, cast.coach_a.id,
    )
    assert told((await get(cast.coach_a, "?kind=teams")).text)[0].startswith("A team was deleted Old Guard")
    assert not [line for line in told((await get(cast.coach_b, "?kind=teams")).text) if "Old Guard" in line]


async def test_what_concerns_nobody_is_for_who_did_it_and_for_admins(cast: Cast) -> None:
    for coach in (cast.coach_a, cast.coach_b):
        await database.execute(
            "insert into activity_events (organization_id, kind, user_id) values ($1, 'roster_imported', $2)",
            cast.organization_id, coach.id,
        )
    assert told((await get(cast.coach_a, "?kind=roster")).text) == ["A roster was imported by Ada Alder"]
    assert len(told((await get(cast.admin, "?kind=roster")).text)) == 2
    assert told((await get(cast.coach_a, "?kind=roster&division=high_school")).text) == []


async def test_what_happened_to_a_deleted_team_stays_with_its_name(cast: Cast) -> None:
    await database.execute("delete from team_memberships")
    await database.execute("delete from teams where id in ($1, $2)", cast.team_a, cast.team_b)
    own = told((await get(cast.coach_a, "?kind=teams")).text)
    assert any(line.startswith("Firewall Two was renamed") for line in own)
    assert not any("Hidden Lock" in line for line in own)
    assert len(told((await get(cast.admin, "?kind=teams")).text)) == 2
    coach_b = f"?kind=teams&coach={cast.coach_b.id}"
    assert [line[:11] for line in told((await get(cast.admin, coach_b)).text)] == ["Hidden Lock"]
    assert told((await get(cast.coach_a, f"?kind=teams&person={await id_of('Ada')}")).text) == []


async def test_an_import_is_one_line_and_its_people_are_found_by_name(cast: Cast) -> None:
    rows = "".join(f"New{number},Comer,high_school\n" for number in range(24))
    file = f"first_name,last_name,division\n{rows}".encode()
    await import_roster(file, coach_email=cast.coach_a.email, dry_run=False, actor=None, actor_label="test")
    answer = await get(cast.coach_a, "?kind=roster")
    (line,) = told(answer.text)
    assert line.startswith("Imported 24 competitors from a file") and "New0 Comer" in answer.text
    assert len(told((await get(cast.admin, "?kind=roster")).text)) == 1
    assert told((await get(cast.coach_b, "?kind=roster")).text) == []
    (alone,) = told((await get(cast.coach_a, f"?person={await id_of('New7')}")).text)
    assert alone.startswith("New7 Comer joined the roster")
    (together,) = told((await get(cast.coach_a, "?kind=roster&division=high_school")).text)
    assert "and 19 more" in together


async def test_a_break_is_told_to_every_coach(cast: Cast) -> None:
    today = ago().date()
    await calendars.add_break(
        reader(cast.admin), cast.organization_id, name="Fall break", first_day=today, last_day=today
    )
    (line,) = told((await get(cast.coach_a, "?kind=settings")).text)
    assert line.startswith("A break was put into the calendar Fall break")


async def test_pages_follow_each_other_without_gap_or_repetition(cast: Cast) -> None:
    ada = await id_of("Ada")
    await database.execute(
        """insert into game_platform_challenge_solves (competitor_id, syned_user_id, challenge_solve_id, challenge_id,
               challenge_title, solved_at)
           select $1, 'a', n::text, 'c', 'Title ' || n || '.', now() - (n / 3) * interval '1 hour'
           from generate_series(1, 150) n""",
        ada,
    )
    seen: list[str] = []
    path = "?kind=solves"
    async with await client_for(cast.coach_a) as client:
        pages = 0
        while path:
            text = (await client.get(f"{PATH}{path}")).text
            seen += re.findall(r"Title \d+\.", text)
            pages += 1
            following = re.search(r'href="/timeline(\?[^"]*)"[^>]*>\s*(?:<svg[^>]*>.*?</svg>)?\s*Next', text)
            path = html.unescape(following[1]) if following else ""
        back = re.search(r'href="/timeline(\?[^"]*)"[^>]*>\s*(?:<svg[^>]*>.*?</svg>)?\s*Previous', text)
        assert back
        before = (await client.get(f"{PATH}{html.unescape(back[1])}")).text
    assert pages == 3
    assert sorted(set(seen)) == sorted(seen) and len(seen) == 150
    assert set(re.findall(r"Title \d+\.", before)) <= set(seen)


async def test_a_streak_goes_on_over_the_breaks_of_the_calendar(cast: Cast) -> None:
    ada, today = await id_of("Ada"), ago().date()
    await database.execute("delete from game_platform_challenge_solves")
    for days in (0, 8):
        await solve(ada, 10, ago(days=days))
    assert "Streaks that run today" not in (await get(cast.coach_a)).text
    await calendars.add_break(
        reader(cast.admin), cast.organization_id, name="Break", first_day=today - timedelta(days=7),
        last_day=today - timedelta(days=1),
    )
    assert "2 days</b>" in (await get(cast.coach_a)).text
    assert "Streaks that run today" not in (await get(cast.coach_b)).text


async def test_the_file_is_written_down_for_each_person(cast: Cast) -> None:
    found = await rows(cast.coach_a)
    assert [row["competitor"] for row in found] == ["", "Ada Prime", "Ada Prime", "Ada Prime"]
    assert [row["points"] for row in found[1:]] == ["100", "50", "300"]
    disclosed = await database.fetch("select competitor_id, purpose from disclosure_log")
    assert [tuple(row) for row in disclosed] == [(await id_of("Ada"), "timeline export")]


async def test_while_presenting_no_name_is_shown(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as client:
        await client.post("/presenting", data={"present": "on", "next": PATH})
        text = (await client.get(PATH)).text
        exported = (await client.get(f"{PATH}?format=csv")).text
    assert "Ada Prime" not in text and "Aron Zero" not in text and "Ada Prime" not in exported


async def test_bad_values_are_named_and_left_out(cast: Cast) -> None:
    text = html.unescape((await get(cast.coach_a, "?kind=gossip&cursor=zzz&person=1&window=3")).text)
    assert "Part of the address was not understood." in text and len(told(text)) == 3


async def test_full_screen_is_an_address(cast: Cast) -> None:
    text = (await get(cast.coach_a, "?full=yes&kind=solves")).text
    assert 'class="timeline-page full"' in text and 'href="/timeline?kind=solves"' in text


async def test_a_fragment_is_the_list_alone(cast: Cast) -> None:
    text = (await get(cast.coach_a, headers=PARTIAL)).text
    assert text.lstrip().startswith('<div id="timeline"') and "<html" not in text


async def test_a_page_that_is_up_to_date_is_not_sent_again(cast: Cast) -> None:
    address = re.search(r'id="timeline"[^>]* hx-get="([^"]+)"', (await get(cast.coach_a)).text)
    assert address
    async with await client_for(cast.coach_a) as client:
        assert (await client.get(html.unescape(address[1]), headers=PARTIAL)).status_code == 204
        await solve(await id_of("Ada"), 10, ago())
        assert (await client.get(html.unescape(address[1]), headers=PARTIAL)).status_code == 200


async def test_it_says_how_old_the_numbers_are(cast: Cast) -> None:
    assert "Nobody shown has been read" in (await get(cast.coach_a)).text
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '9 hours'")
    assert "Late:" in (await get(cast.coach_a)).text


async def test_nothing_has_happened_yet() -> None:
    cast = await make_cast()
    assert "Nothing happened in these days." in (await get(cast.coach_a)).text


async def test_players_and_strangers_are_refused(cast: Cast) -> None:
    async with await client_for(cast.player) as player, stranger() as nobody:
        assert (await player.get(PATH)).status_code == 403
        assert (await nobody.get(PATH)).headers["location"].startswith("/login")
        assert (await nobody.get(PATH, headers=PARTIAL)).headers["hx-redirect"].startswith("/login")
