"""Plans of teams, over random squads: totals conserve, nobody is in two teams, and only what moves is told."""

import random
from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest

from app.domain.categories import CATEGORIES
from app.domain.team_plan_view import View, changed_by_hand, draft, parse
from app.domain.team_plans import Assignment, CallKind, Group, Mode, Person, Squad, Team

GROUP = Group(UUID(int=1), "Ada Alder", "high_school", 2, is_coach_known=True, is_coach_approved=True)


def team(number: int, *, is_new: bool = False) -> Team:
    return Team(UUID(int=100 + number), f"Team {number}", f"platform-{number}", is_new)


def person(number: int, on: Team | None = None, *strengths: str, **more: object) -> Person:
    there = on.platform_id if on and not on.is_new else None
    own = Person(
        UUID(int=1000 + number), f"Person {number}", "", number + 1, 1000 - number, on.team_id if on else None,
        frozenset(strengths), there,
    )
    return replace(own, **more)  # type: ignore[arg-type]


def random_squad(chance: random.Random) -> Squad:
    teams = tuple(team(number, is_new=chance.random() < 0.2) for number in range(chance.randint(1, 5)))
    people = tuple(
        person(number, chance.choice([*teams, None]), *chance.sample(CATEGORIES, chance.randint(0, 5)))
        for number in range(chance.randint(0, 25))
    )
    return Squad(GROUP, teams, people)


def random_plan(chance: random.Random, squad: Squad) -> Assignment:
    mode, size = chance.choice(list(Mode)), chance.choice([None, 1, 3, 5])
    places = [*(team.team_id for team in squad.teams), None]
    by_hand = {person.competitor_id: chance.choice(places) for person in squad.people if chance.random() < 0.3}
    return {**squad.suggested(mode, size), **by_hand}


@pytest.mark.parametrize("seed", range(200))
def test_totals_conserve_and_nobody_is_in_two_teams(seed: int) -> None:
    chance = random.Random(seed)
    squad = random_squad(chance)
    plan = random_plan(chance, squad)
    places = [team.team_id for team in squad.teams] + [None]
    seen = Counter(member.competitor_id for place in places for member in squad.members(plan, place))
    assert seen == Counter({member.competitor_id: 1 for member in squad.people})
    points = sum(member.points for place in places for member in squad.members(plan, place))
    assert points == sum(member.points for member in squad.people)


@pytest.mark.parametrize("mode", [Mode.WINNING, Mode.GROWTH])
@pytest.mark.parametrize("seed", range(60))
def test_a_suggestion_fills_every_place_that_there_is_and_no_more(seed: int, mode: Mode) -> None:
    chance = random.Random(seed)
    squad, size = random_squad(chance), chance.choice([None, 1, 2, 4])
    plan = squad.suggested(mode, size)
    seats = size or squad.usual_size()
    counts = [len(squad.members(plan, team.team_id)) for team in squad.teams]
    assert max(counts) <= seats and sum(counts) == min(len(squad.people), seats * len(squad.teams))
    if size is None:
        assert not squad.members(plan, None)
    best = [member for member in squad.people if plan[member.competitor_id]]
    assert mode is Mode.GROWTH or best == list(squad.people[: len(best)])


def test_winning_ranks_and_cuts() -> None:
    teams = (team(0), team(1))
    squad = Squad(GROUP, teams, tuple(person(number) for number in range(5)))
    plan = squad.suggested(Mode.WINNING, 2)
    assert [plan[member.competitor_id] for member in squad.people] == [
        teams[0].team_id, teams[0].team_id, teams[1].team_id, teams[1].team_id, None
    ]


def test_growth_gives_each_team_a_captain_and_then_what_it_lacks() -> None:
    teams = (team(0), team(1))
    people = (
        person(0, None, "Cryptography"), person(1, None, "Forensics"), person(2, None, "Forensics"),
        person(3, None, "Cryptography", "OSINT"),
    )
    squad = Squad(GROUP, teams, people)
    plan = squad.suggested(Mode.GROWTH, 2)
    assert [plan[member.competitor_id] for member in people] == [
        teams[0].team_id, teams[1].team_id, teams[0].team_id, teams[1].team_id
    ]
    cells = squad.coverage(plan, teams[1].team_id)
    assert {cell.category for cell in cells if cell.members} == {"Cryptography", "Forensics", "OSINT"}


@pytest.mark.parametrize("seed", range(100))
def test_removing_a_member_changes_exactly_their_categories(seed: int) -> None:
    chance = random.Random(seed)
    squad = random_squad(chance)
    now = squad.suggested(Mode.NOW, None)
    members = [member for member in squad.people if member.team_id]
    if not members:
        return
    gone = chance.choice(members)
    without = {**now, gone.competitor_id: None}
    for each in squad.teams:
        before, after = squad.coverage(now, each.team_id), squad.coverage(without, each.team_id)
        lost = {old.category for old, new in zip(before, after, strict=True) if old.members != new.members}
        assert lost == (gone.strengths if each.team_id == gone.team_id else frozenset())
        assert all(old.members - new.members == (old.category in lost) for old, new in zip(before, after, strict=True))


def test_who_alone_covers_a_category_is_named() -> None:
    squad = Squad(GROUP, (team(0),), (person(0, team(0), "OSINT"), person(1, team(0), "Forensics"),
                                      person(2, team(0), "Forensics")))
    cells = {cell.category: cell for cell in squad.coverage(squad.suggested(Mode.NOW, None), team(0).team_id)}
    assert (cells["OSINT"].state, cells["OSINT"].only and cells["OSINT"].only.name) == ("late", "Person 0")
    assert (cells["Forensics"].state, cells["Cryptography"].state) == ("good", "broken")


@pytest.mark.parametrize("seed", range(100))
def test_a_plan_tells_only_of_who_moves_and_each_once(seed: int) -> None:
    chance = random.Random(seed)
    squad = random_squad(chance)
    moves = squad.moves(random_plan(chance, squad))
    told = Counter((call.kind, call.person and call.person.competitor_id) for call in squad.calls(moves))
    assert all(count == 1 for (kind, _), count in told.items() if kind is not CallKind.CREATE_TEAM)
    moving = {move.person.competitor_id: move for move in moves}
    for competitor_id, move in moving.items():
        assert told[CallKind.UNASSIGN, competitor_id] == (move.person.there is not None)
        assert told[CallKind.ASSIGN, competitor_id] == (move.after is not None)
    new = {move.after.team_id for move in moves if move.after and move.after.is_new}
    assert told[CallKind.CREATE_TEAM, None] == len(new)
    assert {key[1] for key in told if key[1]} <= set(moving)


def test_as_it_is_now_nothing_moves_and_nothing_is_told() -> None:
    squad = random_squad(random.Random(1))
    assert squad.moves(squad.suggested(Mode.NOW, None)) == () == squad.calls(())


@pytest.mark.parametrize(("more", "group", "obstacle"), [
    ({}, {}, ""), ({"has_account": False}, {}, "no approved account"), ({"may_be_told": False}, {}, "consent"),
    ({}, {"is_coach_approved": False}, "coach"), ({}, {"is_coach_approved": False, "is_coach_known": False}, ""),
])
def test_who_cannot_be_told_of_yet_is_no_call_and_it_says_why(
    more: dict[str, bool], group: dict[str, bool], obstacle: str
) -> None:
    new, own = team(0, is_new=True), person(0, None, **more)
    squad = Squad(replace(GROUP, **group), (new,), (own,))  # type: ignore[arg-type]
    moves = squad.moves({own.competitor_id: new.team_id})
    assert obstacle in squad.obstacle(moves[0]) and bool(squad.obstacle(moves[0])) == bool(obstacle)
    kinds = [call.kind for call in squad.calls(moves)]
    assert kinds == [
        *([] if squad.group.is_coach_known else [CallKind.CREATE_COACH]),
        *([] if "coach" in obstacle else [CallKind.CREATE_TEAM]), *([] if obstacle else [CallKind.ASSIGN]),
    ]


def test_who_goes_back_to_where_the_platform_still_has_them_needs_no_call() -> None:
    first, second = team(0), team(1)
    own = person(0, second, there=first.platform_id, is_moving=True)
    squad = Squad(GROUP, (first, second), (own,))
    assert squad.calls(squad.moves({own.competitor_id: first.team_id})) == ()


@pytest.mark.parametrize("seed", range(40))
def test_the_address_leads_back_to_the_same_plan(seed: int) -> None:
    chance = random.Random(seed)
    squad = random_squad(chance)
    view = View(group=GROUP.key, mode=chance.choice(list(Mode)), size=chance.choice([None, 3]))
    wanted = random_plan(chance, squad)
    view = replace(view, changes=changed_by_hand(view, squad, wanted))
    query = view.url().partition("?")[2]
    parsed = parse([(name, value.replace("%2C", ",")) for name, _, value in (
        pair.partition("=") for pair in query.split("&"))])
    assert parsed.notices == () and parsed.view == view
    plan, notices = draft(parsed.view, squad)
    assert notices == () and plan.plan == wanted


@pytest.mark.parametrize("pair", [
    ("group", "x"), ("group", "00000000-0000-4000-8000-000000000001.kindergarten"), ("mode", "losing"),
    ("size", "0"), ("size", "51"), ("size", "٣"), ("changes", "x.y"), ("changes", "a" * 32), ("organization", "x"),
    ("changes", ",".join(f"{number:032x}.none" for number in range(101))),
])
def test_bad_values_become_the_default_and_are_named(pair: tuple[str, str]) -> None:
    parsed = parse([pair])
    assert len(parsed.notices) == 1 and parsed.notices[0].startswith(f"“{pair[0]}”")


def test_a_change_of_somebody_who_is_gone_is_left_out() -> None:
    squad = Squad(GROUP, (team(0),), (person(0),))
    gone = ((UUID(int=5), None), (person(0).competitor_id, UUID(int=6)), (person(0).competitor_id, team(0).team_id))
    plan, notices = draft(View(changes=gone), squad)
    assert plan.view.changes == gone[2:] and len(notices) == 1
