import json
import time
from typing import Any

import pytest

from app import database
from app.domain.roster_file import MAX_BYTES, MAX_ROWS
from app.services.roster_import import ImportReport, import_roster
from tests.cast import Person, make_competitor, make_team, make_user
from tests.services.tuples import tuples_written

HEADER = "first_name,last_name,email,division,team,affiliation,release_signed,agreement_signed,data_consent"
ADA = "Ada,Alder,ada@example.org,high_school,Firewall,Example School,yes,yes,yes"
BEN = "Ben,Birch,ben@example.org,high_school,Firewall,,no,,1"


async def roster(coach: Person, *lines: str, header: str = HEADER, dry_run: bool = False) -> ImportReport:
    return await imported(coach, "\n".join((header, *lines)).encode(), dry_run=dry_run)


async def imported(coach: Person, content: bytes, *, dry_run: bool = False) -> ImportReport:
    return await import_roster(
        content, coach_email=coach.email, dry_run=dry_run, actor=None, actor_label="command line"
    )


async def competitor(first_name: str) -> dict[str, Any]:
    row = await database.fetchrow("select * from competitors where first_name = $1", first_name)
    assert row is not None
    return dict(row)


async def count(table: str) -> int:
    return int(await database.fetchval(f"select count(*) from {table}"))


def problems(report: ImportReport) -> list[tuple[int, str]]:
    return [(error.row, error.field) for error in report.errors]


async def test_a_file_makes_people_and_their_team(coach: Person) -> None:
    assert await roster(coach, ADA, BEN) == ImportReport(rows=2, created=2, teams_created=1)
    ada, ben = await competitor("Ada"), await competitor("Ben")
    assert (ada["coach_id"], ada["organization_id"]) == (coach.id, coach.organization_id)
    assert (ada["status"], ben["status"]) == ("compliance", "profile")
    assert (ben["release_signed"], ben["agreement_signed"], ben["data_consent"]) == (False, False, True)
    team = await database.fetchrow("select * from teams")
    assert team is not None and (team["name"], team["division"], team["affiliation"]) == (
        "Firewall", "high_school", "Example School",
    )
    assert await database.fetchval("select count(*) from team_memberships where team_id = $1", team["id"]) == 2


async def test_the_same_file_again_writes_nothing(coach: Person) -> None:
    header = f"{HEADER},discord_id,startgg_gamer_tag,game_platform_id,team_game_platform_id"
    lines = (f"{ADA},123456789012345678,alder,ada-1,firewall-1", f"{BEN},,birch,,firewall-1")
    assert (await roster(coach, *lines, header=header)).created == 2
    before = await tuples_written()
    assert await roster(coach, *lines, header=header) == ImportReport(rows=2, unchanged=2)
    assert await tuples_written() == before


async def test_a_dry_run_reports_and_writes_nothing(coach: Person) -> None:
    before = await tuples_written()
    assert await roster(coach, ADA, dry_run=True) == ImportReport(rows=1, created=1, teams_created=1)
    assert await tuples_written() == before


async def test_one_bad_row_changes_nothing_and_every_bad_row_is_named(coach: Person) -> None:
    report = await roster(
        coach, ADA, "Ben,,not-an-address,high_school,,,,,", "Cleo,Cherry,,kindergarten,,,maybe,,",
        "Dan,Date,,high_school,New Team,,,,",
    )
    assert problems(report) == [
        (3, "email"), (3, "last_name"), (4, "division"), (4, "release_signed"), (5, "affiliation"),
    ]
    assert await count("competitors") == await count("teams") == await count("audit_log") == 0


async def test_an_import_leaves_audit_event_and_stale_standings_behind(coach: Person) -> None:
    await roster(coach, ADA)
    entry = await database.fetchrow("select action, actor, after from audit_log")
    assert entry is not None and (entry["action"], entry["actor"]) == ("roster.imported", "command line")
    assert json.loads(entry["after"])["created"] == 1
    assert await database.fetchval("select kind from activity_events") == "roster_imported"
    assert await database.fetchval("select count(*) from standings") == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (HEADER.encode("utf-16"), "UTF-8"),
        (HEADER.encode("utf-16-le"), "UTF-8"),
        (b"PK\x03\x04\x00\x00", "UTF-8"),
        (b"first_name,last_name,division\nA\x81,B,college", "Windows-1252"),
        (b"first_name,last_name\nAda,Alder", "division is missing"),
        (b"first_name,last_name,division,shoe_size\n", "Unknown column 'shoe_size'"),
        (b"first_name,last_name,division,Division\n", "division is there twice"),
        (b"first_name;last_name;division\n", "semicolons"),
        (b"first_name,last_name,division\n\"Ada,Alder,college", "cannot be read as CSV"),
        (b"first_name,last_name,division" + b",grade" * 200, "more than 200 columns"),
        (b"first_name,last_name,division\n" + b"\n" * (MAX_ROWS + 1), "more than 50,000 rows"),
        (b"x" * (MAX_BYTES + 1), "larger than 5 MB"),
    ],
)
async def test_a_file_that_cannot_be_taken_gets_one_clear_error(coach: Person, content: bytes, words: str) -> None:
    report = await imported(coach, content)
    assert len(report.errors) == 1
    assert words in report.errors[0].message
    assert await count("competitors") == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
async def test_text_in_the_usual_encodings_is_read(coach: Person, encoding: str) -> None:
    report = await imported(coach, "first_name,last_name,division\r\nZoë,Müller,college\r\n".encode(encoding))
    assert report.created == 1
    assert (await competitor("Zoë"))["last_name"] == "Müller"


@pytest.mark.parametrize("name", ["李小龙", "Юлия", "ياسمين", "O'Brien", "Nguyễn", "Ọláyínká", "जया", "<script>"])
async def test_names_in_every_script_are_kept_as_they_are(coach: Person, name: str) -> None:
    assert (await roster(coach, f"{name},{name},,college", header="first_name,last_name,email,division")).created == 1
    assert (await competitor(name))["last_name"] == name


@pytest.mark.parametrize("name", ["\u202eevil", "a\u2066b", "\u200b", "\u0301\u200d"])
async def test_names_that_turn_the_text_beside_them_or_show_nothing_are_refused(coach: Person, name: str) -> None:
    report = await roster(coach, f"{name},Alder,,college", header="first_name,last_name,email,division")
    assert [error.field for error in report.errors] == ["first_name"] and await count("competitors") == 0


@pytest.mark.parametrize("name", ["क्‍ष", "می\u200cخواهم", "Zoe\u0301", "😀"])
async def test_joiners_and_marks_that_writing_needs_are_kept(coach: Person, name: str) -> None:
    report = await roster(coach, f"{name},Alder,,college", header="first_name,last_name,email,division")
    assert report.created == 1


async def test_an_unknown_coach_is_named(coach: Person) -> None:
    report = await import_roster(
        f"{HEADER}\n{ADA}".encode(), coach_email="nobody@example.org", dry_run=False, actor=None, actor_label="test"
    )
    assert report.errors[0].field == "coach" and "nobody@example.org" in report.errors[0].message


async def test_the_same_e_mail_in_another_case_is_the_same_person(coach: Person) -> None:
    await roster(coach, ADA)
    report = await roster(coach, ADA.replace("ada@", "ADA@").replace("Alder", "Ash"))
    assert (report.updated, report.created) == (1, 0)
    assert (await competitor("Ada"))["last_name"] == "Ash"


async def test_without_that_e_mail_name_and_division_tell(coach: Person) -> None:
    await roster(coach, ADA)
    assert (await roster(coach, "Ada,Alder,new@example.org,high_school,,,,,")).updated == 1
    assert (await roster(coach, "Ada,Alder,,college,,,,,")).created == 1
    assert await count("competitors") == 2


async def test_two_candidates_are_an_error_of_the_row(coach: Person) -> None:
    await roster(coach, ADA, ADA.replace("ada@", "ada.other@"))
    report = await roster(coach, "Ada,Alder,,high_school,,,,,")
    assert problems(report) == [(2, "last_name")]
    assert (await roster(coach, ADA, ADA.replace("ada@", "ada.other@"))).unchanged == 2


async def test_two_rows_of_one_person_are_an_error(coach: Person) -> None:
    assert problems(await roster(coach, ADA, ADA.replace("Alder", "Ash"))) == [(3, "email")]
    assert problems(await roster(coach, ADA, "Ada,Alder,,high_school,,,,,")) == [(3, "last_name")]


async def test_another_coachs_competitor_is_somebody_else(coach: Person) -> None:
    await roster(coach, ADA)
    other = await make_user(coach.organization_id, "coach", "Otto Oak")
    assert (await roster(other, ADA)).created == 1


async def test_an_empty_cell_changes_nothing_and_a_no_does(coach: Person) -> None:
    await roster(coach, ADA)
    assert (await roster(coach, "Ada,Alder,ada@example.org,high_school,,,,,")).unchanged == 1
    assert (await roster(coach, "Ada,Alder,ada@example.org,high_school,,,no,,")).updated == 1
    ada = await competitor("Ada")
    assert (ada["release_signed"], ada["agreement_signed"], ada["status"]) == (False, True, "profile")


async def test_what_somebody_edited_by_hand_stays(coach: Person) -> None:
    await roster(coach, ADA)
    await database.execute(
        """update competitors set first_name = 'Adeline', release_signed = false, status = 'profile',
               edited_fields = '["first_name", "release_signed"]'"""
    )
    assert (await roster(coach, ADA.replace("Alder", "Ash"))).updated == 1
    ada = await competitor("Adeline")
    assert (ada["last_name"], ada["release_signed"], ada["status"]) == ("Ash", False, "profile")


async def test_a_person_moves_to_the_team_of_the_row(coach: Person) -> None:
    await roster(coach, ADA)
    assert (await roster(coach, ADA.replace("Firewall", "Backdoor"))).teams_created == 1
    teams = await database.fetch("select t.name from team_memberships m join teams t on t.id = m.team_id")
    assert [row["name"] for row in teams] == ["Backdoor"]


async def test_a_team_of_another_division_is_an_error(coach: Person) -> None:
    await make_team(coach, "Firewall", "college")
    assert problems(await roster(coach, ADA)) == [(2, "division")]


async def test_rows_must_agree_on_a_new_team(coach: Person) -> None:
    assert problems(await roster(coach, ADA, BEN.replace("high_school", "college"))) == [(3, "division")]
    assert problems(await roster(coach, ADA, BEN.replace("Firewall,", "Firewall,Other School"))) == [(3, "affiliation")]


HANDLES = "first_name,last_name,division,discord_id,startgg_gamer_tag,racetime_id"


async def behind(first_name: str) -> dict[str, Any]:
    row = await database.fetchrow("select * from users where id = $1", (await competitor(first_name))["user_id"])
    assert row is not None
    return dict(row)


async def test_a_handle_that_nobody_has_makes_a_placeholder(coach: Person) -> None:
    await roster(coach, "Ada,Alder,college,123456789012345678,alder,", header=HANDLES)
    person = await behind("Ada")
    assert (person["is_placeholder"], person["discord_id"], person["startgg_gamer_tag"]) == (
        True, "123456789012345678", "alder",
    )
    assert (person["display_name"], person["username"], person["last_name"]) == ("alder", None, "")


@pytest.mark.parametrize("handles", ["123456789012345678,,", ",ALDER,"])
async def test_a_known_handle_links_to_the_user_who_has_it(coach: Person, handles: str) -> None:
    player = await make_user(coach.organization_id, "player", "Pia Player")
    await database.execute(
        "update users set discord_id = '123456789012345678', startgg_gamer_tag = 'alder' where id = $1", player.id
    )
    assert (await roster(coach, f"Ada,Alder,college,{handles}", header=HANDLES)).created == 1
    assert (await competitor("Ada"))["user_id"] == player.id


async def test_an_import_never_gives_a_real_account_a_handle(coach: Person) -> None:
    player = await make_user(coach.organization_id, "player", "Pia Player")
    await database.execute("update users set startgg_gamer_tag = 'alder' where id = $1", player.id)
    await roster(coach, "Ada,Alder,college,123456789012345678,alder,", header=HANDLES)
    person = await behind("Ada")
    assert (person["id"], person["discord_id"]) == (player.id, None)


async def test_a_placeholder_learns_what_a_later_file_knows(coach: Person) -> None:
    await roster(coach, "Ada,Alder,college,,alder,", header=HANDLES)
    assert (await roster(coach, "Ada,Alder,college,123456789012345678,alder,ada#1", header=HANDLES)).updated == 1
    person = await behind("Ada")
    assert (person["discord_id"], person["racetime_id"]) == ("123456789012345678", "ada#1")
    assert await database.fetchval("select count(*) from users where is_placeholder") == 1


async def test_handles_of_two_people_are_an_error(coach: Person) -> None:
    await roster(
        coach, "Ada,Alder,college,123456789012345678,,", "Ben,Birch,college,,birch,", header=HANDLES
    )
    report = await roster(coach, "Cleo,Cherry,college,123456789012345678,birch,", header=HANDLES)
    assert problems(report) == [(2, "discord_id")]


ADOPTED = "first_name,last_name,email,division,team,affiliation,release_signed,agreement_signed,game_platform_id," \
    "team_game_platform_id"


async def test_an_adopted_account_is_kept_but_counts_only_once_it_was_looked_up(coach: Person) -> None:
    line = "Ada,Alder,ada@example.org,college,Firewall,School,yes,yes,ada-1,team-1"
    assert (await roster(coach, line, header=ADOPTED)).created == 1
    ada = await competitor("Ada")
    assert (ada["game_platform_id"], ada["status"]) == ("ada-1", "compliance")
    assert await database.fetchval("select game_platform_id from teams") == "team-1"


async def test_an_account_or_team_that_somebody_else_has_is_refused(coach: Person) -> None:
    other = await make_user(coach.organization_id, "coach", "Otto Oak")
    await roster(other, "Ada,Alder,,college,Firewall,School,,,ada-1,team-1", header=ADOPTED)
    report = await roster(
        coach, "Ben,Birch,,college,,,,,ada-1,", "Cleo,Cherry,,college,Firewall,School,,,,team-1", header=ADOPTED
    )
    assert problems(report) == [(2, "game_platform_id"), (3, "team_game_platform_id")]


async def test_a_confirmed_account_is_not_exchanged(coach: Person) -> None:
    await make_competitor(coach, "Ada Alder", division="college")
    report = await roster(coach, "Ada,Alder,,college,,,,,other-1,", header=ADOPTED)
    assert problems(report) == [(2, "game_platform_id")]


async def test_ten_thousand_rows_take_a_few_seconds(coach: Person) -> None:
    lines = [
        f"First{n},Last{n},p{n}@example.org,high_school,Team {n // 6},School,yes,yes,yes" for n in range(10_000)
    ]
    started = time.monotonic()
    assert (await roster(coach, *lines)).created == 10_000
    assert (await roster(coach, *lines)).unchanged == 10_000
    assert time.monotonic() - started < 20


async def test_formulas_are_names_like_any_other(coach: Person) -> None:
    assert (await roster(coach, "=1+1,@SUM,,college", header="first_name,last_name,email,division")).created == 1
    assert (await competitor("=1+1"))["last_name"] == "@SUM"
