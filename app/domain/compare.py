"""What the address of a comparison says: two to four teams or people, in the order that fixes columns and colours."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode
from uuid import UUID

from app.domain import scopes
from app.domain.addresses import as_uuid
from app.domain.scopes import Scope

PATH = "/compare"
TEAM, COMPETITOR = "team", "competitor"
FEWEST, MOST = 2, 4
DAYS = ("window", "from", "to")


@dataclass(frozen=True, slots=True)
class View:
    """`days` is a scope that says nothing but the days."""

    kind: str = TEAM
    ids: tuple[UUID, ...] = ()
    days: Scope = field(default_factory=Scope)

    @property
    def has_room(self) -> bool:
        return len(self.ids) < MOST

    def url(self, *, file: str = "") -> str:
        pairs = [(self.kind, str(subject)) for subject in self.ids] + list(self.days.parameters().items())
        pairs += [("format", file)] if file else []
        return f"{PATH}?{urlencode(pairs)}" if pairs else PATH

    def without(self, subject: UUID) -> str:
        return replace(self, ids=tuple(each for each in self.ids if each != subject)).url()


@dataclass(frozen=True, slots=True)
class Parsed:
    view: View
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the comparison: a value for each subject, in the order of the address."""

    label: str
    values: tuple[float, ...]
    is_more_better: bool = True

    @property
    def best(self) -> frozenset[int]:
        """Whose value is the best; nobody's where all are equal or nothing is better than something else."""
        if not self.is_more_better or len(set(self.values)) < 2:
            return frozenset()
        return frozenset(place for place, value in enumerate(self.values) if value == max(self.values))


def parse(pairs: Iterable[tuple[str, str]]) -> Parsed:
    given = [(name, value.strip()) for name, value in pairs]
    about = scopes.parse((name, value) for name, value in given if name in DAYS)
    kind = TEAM if any(name == TEAM for name, _ in given) else COMPETITOR
    ids, notices = _ids([value for name, value in given if name == kind and value], kind)
    if kind == TEAM and any(name == COMPETITOR for name, _ in given):
        notices.append("Teams and people are not compared with each other; the teams are shown.")
    return Parsed(View(kind if ids else TEAM, ids, about.scope), (*about.notices, *notices))


def _ids(texts: Sequence[str], kind: str) -> tuple[tuple[UUID, ...], list[str]]:
    notices = []
    found = [as_uuid(text) for text in texts]
    if None in found:
        notices.append(f"“{kind}” is not known and is left out.")
    ids = tuple(dict.fromkeys(subject for subject in found if subject))
    if len(ids) > MOST:
        notices.append(f"At most {MOST} are compared; the first {MOST} are shown.")
    return ids[:MOST], notices


def per_head(total: int, heads: int) -> float:
    return round(total / heads, 1) if heads else 0
