"""A team on one page: what stands out, and what its coach could do about it this week."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.coverage import Cell, gaps

MOST = 3


@dataclass(frozen=True, slots=True)
class Person:
    """A member as the brief needs them; `name` as it may be shown."""

    name: str
    gain: int
    gain_before: int
    is_active: bool
    is_linked: bool


def facts(people: Sequence[Person], cells: Sequence[Cell]) -> tuple[str, ...]:
    """Three things that are so: how many take part, who carries the team, what it covers."""
    if not people:
        return ("Nobody is on this team yet.",)
    return (_taking_part(people), _best(people), _covered(cells))


def actions(people: Sequence[Person], cells: Sequence[Cell], only: str = "") -> tuple[str, ...]:
    """At most three, the most pressing first. `only` is how the one is called on whom a category hangs."""
    if not people:
        return ("Put somebody on the team.",)
    candidates = (_link(people), _wake(people), _cover(cells, only), _encourage(people), _widen(cells))
    return tuple(action for action in candidates if action)[:MOST]


def _taking_part(people: Sequence[Person]) -> str:
    active = sum(person.is_active for person in people)
    gain, before = sum(person.gain for person in people), sum(person.gain_before for person in people)
    return f"{active} of {len(people)} took part and won {gain:,} points; {before:,} in as many days before."


def _best(people: Sequence[Person]) -> str:
    total = sum(person.gain for person in people)
    if not total:
        return "Nobody has won a point in these days."
    best = max(people, key=lambda person: person.gain)
    return f"{best.name} won the most, {best.gain:,} points: {round(100 * best.gain / total)} % of the team's."


def _covered(cells: Sequence[Cell]) -> str:
    covered = sum(cell.members > 0 for cell in cells)
    alone = sum(cell.members == 1 for cell in cells)
    hanging = f", {alone} of them by one person only" if alone else ""
    return f"{covered} of {len(cells)} categories are covered at medium or above{hanging}."


def _link(people: Sequence[Person]) -> str:
    names = [person.name for person in people if not person.is_linked]
    return f"Bring onto the Game Platform: {_listed(names)}." if names else ""


def _wake(people: Sequence[Person]) -> str:
    names = [person.name for person in people if person.is_linked and not person.is_active]
    return f"Ask what keeps them: {_listed(names)} did nothing in these days." if names else ""


def _cover(cells: Sequence[Cell], only: str) -> str:
    alone = [cell for cell in gaps(cells) if cell.members == 1]
    if not alone:
        return ""
    who = only or "one person"
    return f"Let a second person learn {alone[0].category}: only {who} has solved it at medium or above."


def _encourage(people: Sequence[Person]) -> str:
    falling = [person for person in people if person.is_active and person.gain < person.gain_before]
    if not falling:
        return ""
    furthest = max(falling, key=lambda person: person.gain_before - person.gain)
    return f"Talk to {furthest.name}: {furthest.gain:,} points after {furthest.gain_before:,} in as many days before."


def _widen(cells: Sequence[Cell]) -> str:
    empty = [cell.category for cell in gaps(cells) if cell.members == 0]
    return f"Start something new together: nobody covers {_listed(empty)}." if empty else ""


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST])
    return shown if len(names) <= MOST else f"{shown} and {len(names) - MOST} more"
