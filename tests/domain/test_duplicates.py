"""Who may be one person, and what becomes of two records."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import duplicates
from app.domain.duplicates import FIELDS, Record, Strength

ORGANIZATION, COACH = uuid4(), uuid4()


@dataclass(frozen=True)
class Somebody:
    first_name: str
    last_name: str
    email: str | None = None
    division: str | None = "high_school"
    user_id: UUID | None = None
    id: UUID = field(default_factory=uuid4)


def record(**changes: object) -> Record:
    plain = Record(
        id=uuid4(), organization_id=ORGANIZATION, coach_id=COACH, coach="Ada", user_id=None, handle="",
        first_name="Jon", last_name="Smith", email=None, grade=None, division="high_school", school_id=None,
        region_id=None, release_signed=False, agreement_signed=False, data_consent=False, game_platform_id=None,
        has_account=False, is_read=False, solves=0, team_id=None, team="", team_coach_id=None, team_division=None,
        team_is_open=False, created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


WITH_ACCOUNT: dict[str, object] = {"game_platform_id": "x", "has_account": True, "is_read": True, "solves": 3}


@pytest.mark.parametrize(("one", "other", "why", "strength"), [
    (Somebody("Jon", "Smith"), Somebody("JON", "Smíth"), (duplicates.SAME_NAME,), Strength.LIKELY),
    (Somebody("Jon", "Smith"), Somebody("Jon", "Smith", division="college"), (duplicates.SAME_NAME,),
     Strength.POSSIBLE),
    (Somebody("Jon", "Smith"), Somebody("Smith", "Jon"), (duplicates.SWAPPED,), Strength.POSSIBLE),
    (Somebody("Jon", "Smith"), Somebody("Jonathan", "Smith"), (duplicates.SHORT_NAME,), Strength.POSSIBLE),
    (Somebody("A", "B", "J@x.org"), Somebody("C", "D", "j@X.org"), (duplicates.SAME_MAIL,), Strength.CERTAIN),
    (Somebody("A", "B", user_id=COACH), Somebody("C", "D", user_id=COACH), (duplicates.SAME_USER,), Strength.CERTAIN),
])
def test_what_speaks_for_one_person(
    one: Somebody, other: Somebody, why: tuple[str, ...], strength: Strength
) -> None:
    assert duplicates.reasons(one, other) == duplicates.reasons(other, one) == why
    assert duplicates.strength(one, other, why) == strength


@pytest.mark.parametrize(("one", "other"), [
    (Somebody("Jon", "Smith"), Somebody("Jim", "Smith")), (Somebody("", ""), Somebody("", "")),
    (Somebody("J", "Smith"), Somebody("Jon", "Smith")), (Somebody("Jon", ""), Somebody("Jon", "")),
    (Somebody("Jon", "Smith"), Somebody("Jonathan", "Smith", division="college")),
    (Somebody("A", "B", ""), Somebody("C", "D", "")),
])
def test_what_does_not(one: Somebody, other: Somebody) -> None:
    assert duplicates.reasons(one, other) == ()


def test_among_finds_the_known_one_for_each_new_one() -> None:
    known = [Somebody("Jonathan", "Smith", id=UUID(int=1)), Somebody("Eve", "Elm", "e@x.org", id=UUID(int=2)),
             Somebody("Tom", "Tree", id=UUID(int=3))]
    new = [Somebody("Jon", "Smith", id=UUID(int=8)), Somebody("Eva", "Oak", "E@x.org", id=UUID(int=9))]
    found = duplicates.among(new, known)
    assert [(one.id.int, other.id.int) for one, other, _ in found] == [(8, 1), (9, 2)]


VALUES = st.one_of(st.none(), st.sampled_from(["", "9", "10"]))
RECORDS = st.builds(
    lambda grade, email, school, flags: record(
        grade=grade, email=email, school_id=school, release_signed=flags[0], data_consent=flags[1]
    ), VALUES, VALUES, VALUES, st.tuples(st.booleans(), st.booleans()),
)


@given(RECORDS, RECORDS, st.sets(st.sampled_from(FIELDS)))
def test_a_merged_record_loses_nothing_and_invents_nothing(kept: Record, gone: Record, taken: set[str]) -> None:
    merged = duplicates.merged(kept, gone, taken)
    for name in FIELDS:
        ours, theirs = getattr(kept, name), getattr(gone, name)
        assert merged[name] in (ours, theirs)
        if name not in taken and ours not in (None, ""):
            assert merged[name] == ours
        if name in duplicates.differing(kept, gone):
            assert ours != theirs


def test_an_account_goes_only_to_somebody_who_has_none() -> None:
    promised = record(game_platform_id="y")
    assert duplicates.moves_account(record(), record(**WITH_ACCOUNT))
    assert duplicates.moves_account(promised, record(**WITH_ACCOUNT))
    assert not duplicates.moves_account(record(**WITH_ACCOUNT), record(**WITH_ACCOUNT))
    assert not duplicates.moves_account(record(is_read=True), record(**WITH_ACCOUNT))
    assert not duplicates.moves_account(promised, record(game_platform_id="z"))
    assert not duplicates.moves_account(record(), record())


def test_a_place_on_a_team_goes_only_where_it_fits() -> None:
    member = record(team_id=uuid4(), team_coach_id=COACH, team_division="high_school", team_is_open=True)
    assert duplicates.moves_team(record(), member, "high_school")
    assert not duplicates.moves_team(record(), member, "college")
    assert not duplicates.moves_team(record(coach_id=uuid4()), member, "high_school")
    assert not duplicates.moves_team(record(), replace(member, team_is_open=False), "high_school")
    assert not duplicates.moves_team(member, member, "high_school")


def test_the_better_record_comes_first_and_a_paper_counts_from_either() -> None:
    weak, strong = record(release_signed=True), record(**WITH_ACCOUNT)
    assert duplicates.better_first(weak, strong) == duplicates.better_first(strong, weak) == (strong, weak)
    assert duplicates.chosen_flags(strong, weak) == ("release_signed",)


def test_the_consequences_say_where_the_solves_go() -> None:
    both = " ".join(duplicates.consequences(record(**WITH_ACCOUNT), record(**WITH_ACCOUNT)))
    one = " ".join(duplicates.consequences(record(), record(**WITH_ACCOUNT)))
    assert "3 solves of the other stay" in both and "its 3 solves go to the kept record" in one
