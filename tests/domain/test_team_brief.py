"""The brief's sentences: three facts, and the most pressing of what could be done."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain import team_brief
from app.domain.coverage import Cell, gaps
from app.domain.team_brief import Person

ADA = Person("Ada", gain=300, gain_before=100, is_active=True, is_linked=True)
IDA = Person("Ida", gain=0, gain_before=50, is_active=False, is_linked=True)
NEW = Person("Newton", gain=0, gain_before=0, is_active=False, is_linked=False)
TIRED = Person("Tira", gain=10, gain_before=200, is_active=True, is_linked=True)
CELLS = (Cell("Cryptography", 2), Cell("Forensics", 1), Cell("OSINT", 0))

people = st.lists(
    st.builds(Person, st.sampled_from(["A", "B"]), st.integers(0, 9), st.integers(0, 9), st.booleans(), st.booleans()),
    max_size=9,
)
cells = st.lists(st.builds(Cell, st.sampled_from(["OSINT", "Social"]), st.integers(0, 4)), max_size=11)


def test_the_facts_say_who_takes_part_who_carries_and_what_is_covered() -> None:
    assert team_brief.facts([ADA, IDA, TIRED], CELLS) == (
        "2 of 3 took part and won 310 points; 350 in as many days before.",
        "Ada won the most, 300 points: 97 % of the team's.",
        "2 of 3 categories are covered at medium or above, 1 of them by one person only.",
    )
    assert team_brief.facts([IDA], CELLS)[1] == "Nobody has won a point in these days."


def test_the_most_pressing_comes_first_and_there_are_three_at_most() -> None:
    assert team_brief.actions([ADA, IDA, NEW, TIRED], CELLS, "Ada") == (
        "Bring onto the Game Platform: Newton.",
        "Ask what keeps them: Ida did nothing in these days.",
        "Let a second person learn Forensics: only Ada has solved it at medium or above.",
    )
    assert team_brief.actions([ADA, TIRED], CELLS[::2]) == (
        "Talk to Tira: 10 points after 200 in as many days before.",
        "Start something new together: nobody covers OSINT.",
    )
    assert team_brief.actions([ADA], CELLS[:1]) == ()


def test_a_long_list_of_names_is_cut_with_a_count() -> None:
    [action, *_] = team_brief.actions([NEW] * 5, ())
    assert action == "Bring onto the Game Platform: Newton, Newton, Newton and 2 more."


@given(people, cells)
def test_any_team_has_its_sentences(people: list[Person], cells: list[Cell]) -> None:
    assert len(team_brief.facts(people, cells)) == (3 if people else 1)
    assert len(team_brief.actions(people, cells)) <= team_brief.MOST
    assert [cell.members for cell in gaps(cells)] == sorted(cell.members for cell in cells if cell.members < 2)
