"""A coach's roster moves into the next year at once, and back where nobody changed it."""

import json
from uuid import UUID, uuid4

import pytest

from app import database
from app.domain.readers import Reader, Sight
from app.domain.season import Step
from app.services import season
from app.services.season import NotFound, SeasonError, Undone
from tests.cast import Cast, Person, make_cast, make_competitor, make_team

YEAR = "2025/26"


def reader(person: Person) -> Reader:
    sight = Sight(sees_everyone=True) if person.role == "admin" else Sight(coach_id=person.id)
    return Reader(person.id, uuid4(), person.role, person.email, "UTC", "system", (person.organization_id,), sight)


@pytest.fixture
async def cast() -> Cast:
    """Nina is in grade 9, Max in 12, Mia moves to high school; Fay is another coach's."""
    cast = await make_cast()
    middle = await make_team(cast.coach_a, "Kids", "middle_school")
    people = (("Nina Nine", "9", cast.coach_a, cast.team_a, "high_school"), ("Max Max", "12", cast.coach_a, cast.team_a,
              "high_school"), ("Mia Middle", "8", cast.coach_a, middle, "middle_school"),
              ("Fay Foreign", "9", cast.coach_b, cast.team_b, "high_school"))
    for name, grade, coach, team, division in people:
        competitor_id = await make_competitor(coach, name, team_id=team, division=division)
        await database.execute("update competitors set grade = $2 where id = $1", competitor_id, grade)
    return cast


async def turn(cast: Cast, *, teams: bool = False, year: str = YEAR, **steps: Step) -> UUID:
    exceptions = {await id_of(name): step for name, step in steps.items()}
    return await season.turn(
        reader(cast.coach_a), cast.coach_a.id, ended_year=year, steps=exceptions, archives_teams=teams
    )


async def id_of(first_name: str) -> UUID:
    return UUID(str(await database.fetchval("select id from competitors where first_name = $1", first_name)))


async def people() -> dict[str, tuple[str, str, bool, str | None]]:
    rows = await database.fetch(
        """select c.first_name, c.grade, c.division, c.archived_at is not null as is_gone, t.name as team
           from competitors c left join team_memberships m on m.competitor_id = c.id
               left join teams t on t.id = m.team_id"""
    )
    return {row["first_name"]: tuple(row)[1:] for row in rows}


async def tables() -> list[list[str]]:
    return [
        [row["row"] for row in await database.fetch(f"select to_jsonb(t)::text as row from {table} t order by id")]
        for table in ("competitors", "team_memberships")
    ]


async def pushed() -> set[UUID]:
    rows = await database.fetch("select subject_id from outbox where kind = 'membership'")
    return {row["subject_id"] for row in rows}


async def test_everybody_moves_up_or_leaves_and_nobody_else(cast: Cast) -> None:
    await turn(cast)
    assert await people() == {
        "Nina": ("10", "high_school", False, "Firewall"), "Max": ("12", "high_school", True, None),
        "Mia": ("9", "high_school", False, None), "Fay": ("9", "high_school", False, "Backdoor"),
    }
    assert await pushed() == {await id_of("Max"), await id_of("Mia")}
    audited = await database.fetchrow("select * from audit_log")
    assert audited and audited["action"] == "season.turned" and json.loads(audited["after"]) == {
        "ended_year": YEAR, "moved_up": 2, "left": 1, "teams_archived": 0,
    }
    kinds = {row["kind"] for row in await database.fetch("select kind from activity_events")}
    assert kinds == {"season_turned", "competitor_archived"}


async def test_exceptions_are_heeded(cast: Cast) -> None:
    await turn(cast, Nina=Step.STAY, Max=Step.UP, Mia=Step.LEAVE)
    found = await people()
    assert found["Nina"][0] == "9" and found["Max"] == ("13", "college", False, None) and found["Mia"][2]


async def test_archived_teams_keep_who_was_on_them(cast: Cast) -> None:
    await turn(cast, teams=True)
    found = await people()
    assert [found[name][3] for name in ("Nina", "Max", "Mia", "Fay")] == ["Firewall", "Firewall", "Kids", "Backdoor"]
    archived = await database.fetch("select name from teams where archived_at is not null order by name")
    assert [row["name"] for row in archived] == ["Firewall", "Kids"]


@pytest.mark.parametrize("teams", [False, True])
async def test_turning_and_undoing_restores_people_and_teams_byte_for_byte(cast: Cast, teams: bool) -> None:
    before = await tables()
    change_id = await turn(cast, teams=teams)
    assert await tables() != before
    assert await season.undo(reader(cast.coach_a), change_id) == Undone(3, 0, 2 if teams else 0, 0)
    assert await tables() == before
    assert await database.fetchval("select count(*) from teams where archived_at is not null") == 0


async def test_a_place_that_was_chosen_by_hand_is_free_for_the_next_year_and_held_again_after_undoing(
    cast: Cast,
) -> None:
    await database.execute("""update competitors set edited_fields = '["grade", "team", "email"]'""")
    before = await tables()
    change_id = await turn(cast, Nina=Step.STAY)
    rows = await database.fetch("select first_name, edited_fields ? 'team' as is_held from competitors")
    assert {row["first_name"]: row["is_held"] for row in rows} == {
        "Nina": False, "Max": False, "Mia": False, "Fay": True,
    }
    await season.undo(reader(cast.coach_a), change_id)
    assert await tables() == before


async def test_what_was_changed_since_stays_as_it_is(cast: Cast) -> None:
    change_id = await turn(cast, teams=True)
    await database.execute("update competitors set grade = '11' where first_name = 'Nina'")
    taken = await make_team(cast.coach_a, "firewall")
    await database.execute("update team_memberships set team_id = $2 where competitor_id = $1",
                           await id_of("Mia"), taken)
    assert await season.undo(reader(cast.coach_a), change_id) == Undone(1, 2, 1, 1)
    assert await people() == {
        "Nina": ("11", "high_school", False, "Firewall"), "Max": ("12", "high_school", False, "Firewall"),
        "Mia": ("9", "high_school", False, "firewall"), "Fay": ("9", "high_school", False, "Backdoor"),
    }


async def test_a_year_is_closed_once_until_it_is_undone(cast: Cast) -> None:
    change_id = await turn(cast)
    before = await tables()
    with pytest.raises(SeasonError, match="closed for this roster already"):
        await turn(cast)
    assert await tables() == before
    await season.undo(reader(cast.coach_a), change_id)
    await turn(cast)


async def test_a_turn_that_changes_nothing_is_refused(cast: Cast) -> None:
    with pytest.raises(SeasonError, match="Nothing would change"):
        await turn(cast, Nina=Step.STAY, Max=Step.STAY, Mia=Step.STAY)
    assert await database.fetchval("select count(*) from season_changes") == 0


async def test_a_season_is_its_coachs_and_the_admins(cast: Cast) -> None:
    before = await tables()
    for who, roster in ((cast.coach_b, cast.coach_a), (cast.admin, cast.player), (cast.admin, cast.admin)):
        with pytest.raises(NotFound):
            await season.turn(reader(who), roster.id, ended_year=YEAR, steps={}, archives_teams=True)
    with pytest.raises(NotFound):
        await turn(cast, Fay=Step.LEAVE)
    assert await tables() == before
    change_id = await turn(cast)
    for stranger in (uuid4(), change_id):
        with pytest.raises(NotFound):
            await season.undo(reader(cast.coach_b), stranger)
    await season.undo(reader(cast.admin), change_id)
    assert await season.undo(reader(cast.admin), change_id) == Undone(0, 0, 0, 0)
    assert await tables() == before
