"""What the panels of one person's report card show. Each is read by itself; what two of them need is read once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from app import charts
from app.charts import Figure, Series
from app.controllers.panels import Panel
from app.domain import active_days, insights, report_card, strengths
from app.domain.active_days import Break
from app.domain.category_marks import mark_of
from app.domain.flash_record import Entry, with_trend
from app.domain.insights import Facts, Insight
from app.domain.leaderboard import DIVISIONS, SOURCES
from app.domain.peers import SMALLEST_GROUP, Group
from app.domain.report_card import Day, Gain, Sort, View
from app.domain.strengths import Level, Strength
from app.domain.windows import in_words
from app.queries import calendars, solved_challenges
from app.queries import report_card as queries
from app.queries.report_card import Subject

ON_DEMAND = "odl"


@dataclass(frozen=True, slots=True)
class Number:
    """`delta` is against the equal window before, None where there is no base; no `compared`, no comparison."""

    label: str
    value: str
    details: tuple[str, ...]
    unit: str = ""
    delta: int | None = None
    compared: str = ""


class Report:
    """One person's report while its panels are being read. A panel that failed has left nothing for the insights."""

    def __init__(self, subject: Subject, view: View) -> None:
        self.subject = subject
        self.view = view
        self._days: tuple[Day, ...] | None = None
        self._breaks: tuple[Break, ...] = ()
        self._strengths: tuple[Strength, ...] = ()
        self._flash_record: tuple[Entry, ...] = ()
        self._peers: tuple[Group, ...] = ()

    def panels(self) -> tuple[Panel, ...]:
        """The insights come last: they speak of what the others have read."""
        named: tuple[tuple[str, str, Callable[[], Awaitable[dict[str, Any]]]], ...] = (
            ("numbers", "The numbers", self._numbers), ("domains", "Categories", self._domains),
            ("peers", "Peers", self._comparison), ("heatmap", "The last 90 days", self._heatmap),
            ("growth", "Points over time", self._growth), ("challenges", "Challenges", self._challenges),
            ("flash", "Flash CTFs", self._flash), ("roles", "Work roles", self._roles),
            ("insights", "What stands out", self._insights),
        )
        return tuple(Panel(name, title, f"report_card/_{name}.html", load) for name, title, load in named)

    async def solves(self) -> dict[str, Any]:
        found = await solved_challenges.get_page(self.subject, self.view)
        return {
            "subject": self.subject, "view": self.view, "found": found, "sources": SOURCES, "Sort": Sort,
            "chips": _chips(self.view),
        }

    async def _challenges(self) -> dict[str, Any]:
        shown = await self.solves()
        return {**shown, "categories": _categories(shown["found"].counts.categories, self.view.category)}

    async def days(self) -> tuple[Day, ...]:
        if self._days is None:
            self._days = await queries.get_days(self.subject)
        return self._days

    async def _numbers(self) -> dict[str, Any]:
        days = await self.days()
        self._breaks = await calendars.breaks(self.subject.organization_id)
        streak = active_days.streak({day.day for day in days}, self.subject.today, self._breaks)
        numbers = (*_totals(self.subject, days), _rank(self.subject), _active(self.subject, days, streak))
        return {"subject": self.subject, "numbers": numbers}

    async def _domains(self) -> dict[str, Any]:
        self._strengths = found = await queries.get_strengths(self.subject)
        levels = {level: [each.category for each in found if each.level is level] for level in Level}
        shares = [(mark_of(each.category).letters, each.category, strengths.share(each, found)) for each in found]
        return {
            "subject": self.subject, "strengths": found, "levels": levels, "shares": shares,
            "strong_from": strengths.STRONG_FROM,
        }

    async def _comparison(self) -> dict[str, Any]:
        self._peers = await queries.get_peers(self.subject)
        return {"subject": self.subject, "groups": self._peers, "smallest": SMALLEST_GROUP}

    async def _heatmap(self) -> dict[str, Any]:
        shown = report_card.solves_on(await self.days(), self.subject.heatmap_days)
        return {
            "subject": self.subject, "days": shown, "weeks": report_card.weeks(shown),
            "rhythm": report_card.rhythm(shown), "in_words": in_words,
        }

    async def _growth(self) -> dict[str, Any]:
        return {"subject": self.subject, "figure": _growth(self.subject, await self.days())}

    async def _flash(self) -> dict[str, Any]:
        self._flash_record = await queries.get_flash_record(self.subject)
        entered = [entry for entry in reversed(self._flash_record) if entry.has_entered]
        return {"subject": self.subject, "placed": with_trend(self._flash_record), "entered": entered}

    async def _roles(self) -> dict[str, Any]:
        roles = await queries.get_work_roles(self.subject)
        return {
            "subject": self.subject, "practised": [role for role in roles if role.solves],
            "missing": [role.name for role in roles if not role.solves],
        }

    async def _insights(self) -> dict[str, Any]:
        return {"subject": self.subject, "insights": self._found()}

    def _found(self) -> tuple[Insight, ...]:
        subject, days = self.subject, self._days
        return insights.insights(Facts(
            zone=subject.zone, is_linked=subject.is_linked, as_of=subject.as_of, is_late=subject.is_late,
            since=subject.since, before=subject.days_before, last_solved_at=subject.last_solved_at,
            last_accessed_at=subject.last_accessed_at, strengths=self._strengths, flash_record=self._flash_record,
            peers=self._peers, lately=None if days is None else report_card.gained(days, subject.window),
            earlier=None if days is None else _base(subject, days), days_trying=self._days_trying(),
        ))

    def _days_trying(self) -> int:
        solved, accessed = self.subject.last_solved_at, self.subject.last_accessed_at
        if solved is None or accessed is None:
            return 0
        first, last = (moment.astimezone(self.subject.zone).date() for moment in (solved, accessed))
        return active_days.active_days_between(first, last, self._breaks)


def _base(subject: Subject, days: tuple[Day, ...]) -> Gain | None:
    """Nothing to compare with where this person had not come yet."""
    first = min((subject.joined_on, *(day.day for day in days)))
    return report_card.gained(days, subject.previous) if first <= subject.previous.last_day else None


def _totals(subject: Subject, days: tuple[Day, ...]) -> tuple[Number, Number]:
    totals, lately, earlier = subject.totals, report_card.gained(days, subject.window), _base(subject, days)
    compared = f"than in {subject.days_before}"
    points = Number(
        "Points", f"{totals.points:,}",
        (f"{totals.odl_points:,} on demand, {totals.flash_points:,} in Flash CTFs",
         f"{lately.points:,} {subject.since}"),
        delta=lately.points - earlier.points if earlier else None, compared=compared,
    )
    return points, Number(
        "Challenges", f"{totals.challenges:,}",
        (f"{totals.odl_challenges:,} on demand, {totals.flash_challenges:,} in Flash CTFs",
         f"{lately.solves:,} {subject.since}"),
        delta=lately.solves - earlier.solves if earlier else None, compared=compared,
    )


def _rank(subject: Subject) -> Number:
    if subject.rank is None:
        return Number("Rank", "–", ("In no standings yet: they are made after the first sync.",))
    division = DIVISIONS.get(subject.division)
    details = (f"{subject.division_rank:,} in {division}",) if division else ()
    return Number("Rank", f"{subject.rank:,}", (*details, f"in {subject.organization}"), unit=f"of {subject.ranked:,}")


def _active(subject: Subject, days: tuple[Day, ...], streak: int) -> Number:
    lately, earlier = report_card.gained(days, subject.window), _base(subject, days)
    return Number(
        "Active days", str(lately.active_days),
        (f"days with a solve {subject.since}", f"streak: {streak} day{'' if streak == 1 else 's'}"),
        delta=lately.active_days - earlier.active_days if earlier else None, compared=f"than in {subject.days_before}",
    )


def _growth(subject: Subject, days: tuple[Day, ...]) -> Figure:
    totals = report_card.added_up(days)
    places = tuple(total.day for total in totals)
    series = (
        Series(SOURCES[ON_DEMAND], places, tuple(total.odl for total in totals)),
        Series("Flash CTFs", places, tuple(total.flash_ctf for total in totals)),
    )
    caption = "No points yet."
    if totals:
        last = totals[-1]
        caption = (
            f"{last.odl + last.flash_ctf:,} points since {in_words(totals[0].day)}: "
            f"{last.odl:,} from on-demand practice, {last.flash_ctf:,} from Flash CTFs."
        )
    months = report_card.at_the_end_of_months(totals)
    return charts.lines(
        "growth", caption, series, across="Day", upwards="Points", is_stepped=True,
        columns=("At the end of", *(each.name for each in series)),
        rows=tuple((f"{total.day:%b %Y}", f"{total.odl:,}", f"{total.flash_ctf:,}") for total in months),
    )


def _categories(known: tuple[str, ...], chosen: str) -> list[tuple[str, str]]:
    """What the filter offers; a category in which nothing is solved only where the address names it."""
    named = known if not chosen or chosen in known else (*known, chosen)
    return [("", "All categories"), *((category, category) for category in named)]


def _chips(view: View) -> tuple[tuple[str, str, str], ...]:
    """Each filter that is set: its name, its value and the address without it."""
    candidates = (
        ("Search", view.search, {"search": ""}),
        ("Category", view.category, {"category": ""}),
        ("Source", SOURCES.get(view.source, ""), {"source": ""}),
    )
    return tuple((name, value, view.url(**without)) for name, value, without in candidates if value)
