"""How fresh scores are and how many calls that costs, on a fake clock, with the rules that the product itself uses.

A trace says when people play; a schedule says when each is looked at. Two traces, both made by dice: school weeks as a
league's records look (a few keen ones, a third who come now and then, the rest hardly ever), and one where the n-th
person plays with a chance of 1/n. On either about one in ten plays on a day. Schedules: the product's tiers, everybody
every half hour, a rotation in batches of 50, and tiers that are dealt out once and never follow what people do.

Ages are counted as pages show them: minutes since the last look, at every minute of every person. Who is active is so
by definition: from a look that finds something until 60 minutes without. The floor of calls per day = 3 for each
competitor + one for each active half hour + 48 Flash CTF looks.
"""

import argparse
import heapq
import itertools
import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from app.domain import sync_tiers
from app.domain.sync_tiers import ACTIVE_LASTS, Tier

SIZES = (300, 1_000, 10_000)
DAY = 24 * 60
HISTORY_DAYS = 30
WARM_UP_DAYS = 1
MEASURED_DAYS = 7
START = HISTORY_DAYS * DAY
MEASURED_FROM = START + WARM_UP_DAYS * DAY
END = MEASURED_FROM + MEASURED_DAYS * DAY
TICK = 5
HALF_HOUR = 30
BATCH = 50
SENTINELS_PER_DAY = 48
ACTIVE_MINUTES = round(ACTIVE_LASTS.total_seconds() / 60)
SHARE_PER_DAY = 0.10
LONGEST_AGE = 7 * DAY
BUDGET = 1.5

Trace = Sequence[Sequence[int]]
"""Per person the minutes at which they solved or looked in, rising."""


def _sessions(chances: Sequence[float], *, seed: int, weekends: float) -> Trace:
    """Who plays on a day does so once, mostly after school, for some ten minutes to two hours."""
    dice = random.Random(seed)
    people: list[list[int]] = []
    for chance in chances:
        minutes: list[int] = []
        for day in range(END // DAY):
            if dice.random() < chance * (weekends if day % 7 >= 5 else 1 + (1 - weekends) * 0.4):
                minute = day * DAY + int(dice.choice((dice.gauss(11, 1.5), dice.gauss(17, 2), dice.gauss(20, 1))) * 60)
                ends = minute + min(240, int(dice.lognormvariate(3.9, 0.7)))
                while minute <= ends:
                    minutes.append(minute)
                    minute += dice.randint(3, 15)
        people.append(sorted(minutes))
    return people


def recorded_like(people: int, *, seed: int = 3) -> Trace:
    """Habits as a league's records show them: 8 % keen, 22 % regular, 30 % rare, the others absent."""
    shares = ((0.08, 0.6), (0.22, 0.2), (0.30, 0.026), (0.40, 0.0))
    chances = [chance for share, chance in shares for _ in range(round(share * people))]
    return _sessions(chances[:people], seed=seed, weekends=0.5)


def zipf(people: int, *, seed: int = 5) -> Trace:
    """The n-th person plays with a chance in proportion to 1/n; nobody more often than nearly every day."""
    low, high = 0.0, float(people)
    for _ in range(60):
        scale = (low + high) / 2
        mean = sum(min(0.95, scale / rank) for rank in range(1, people + 1)) / people
        low, high = (scale, high) if mean < SHARE_PER_DAY else (low, scale)
    return _sessions([min(0.95, low / rank) for rank in range(1, people + 1)], seed=seed, weekends=0.9)


@dataclass(slots=True)
class Person:
    """What the product knows of somebody, in minutes of the fake clock. What a first look finds is history, but for the
    last hour's."""

    events: Sequence[int]
    looked_at: int = START - ACTIVE_MINUTES
    active_until: int = 0
    score: int = 0

    def look(self, now: int) -> bool:
        """Whether it found something; what is known afterwards is what the product would know."""
        known, seen = bisect_right(self.events, self.looked_at), bisect_right(self.events, now)
        if seen > known:
            self.active_until = now + ACTIVE_MINUTES
        month_ago = bisect_left(self.events, now - 30 * DAY)
        self.score = sync_tiers.activity_score(
            accessed_ago=timedelta(minutes=now - self.events[seen - 1]) if seen else None,
            solves_in_30_days=seen - month_ago, plays_flash_ctfs=False,
        )
        self.looked_at = now
        return seen > known

    def wait(self, now: int) -> int:
        wait = sync_tiers.wait(self.score, active_for=timedelta(minutes=self.active_until - now))
        return round(wait.total_seconds() / 60)


class Ages:
    """How many minutes were lived at which age; a whole stretch between two looks is counted at once."""

    def __init__(self) -> None:
        self._steps = [0] * (LONGEST_AGE + 1)

    def add(self, youngest: int, oldest: int) -> None:
        if oldest > youngest:
            self._steps[min(youngest, LONGEST_AGE)] += 1
            self._steps[min(oldest, LONGEST_AGE)] -= 1

    @property
    def minutes(self) -> int:
        return sum(itertools.accumulate(self._steps))

    def percentiles(self, *shares: float) -> list[int]:
        counts = list(itertools.accumulate(self._steps))
        lived = list(itertools.accumulate(counts))
        return [bisect_left(lived, max(1, share * lived[-1])) + 1 if lived[-1] else 0 for share in shares]


@dataclass(slots=True)
class Tally:
    """Counted after the warm-up only."""

    calls: int = 0
    found: list[int] = field(default_factory=list)
    ages: dict[Tier, Ages] = field(default_factory=lambda: {tier: Ages() for tier in Tier})

    def look(self, person: Person, now: int) -> None:
        """One look: ages since the last one by the tier at that time, and how long news has waited."""
        if now >= MEASURED_FROM:
            self.calls += 1
            self._count_ages(person, max(person.looked_at, MEASURED_FROM), now)
            first = bisect_right(person.events, person.looked_at)
            self.found += [now - event for event in person.events[first:bisect_right(person.events, now)]]
        person.look(now)

    def close(self, person: Person) -> None:
        self._count_ages(person, max(person.looked_at, MEASURED_FROM), END)

    def _count_ages(self, person: Person, since: int, now: int) -> None:
        lapses = min(max(person.active_until, since), now)
        calm = sync_tiers.tier(person.score, active_for=timedelta())
        self.ages[Tier.ACTIVE].add(since - person.looked_at, lapses - person.looked_at)
        self.ages[calm].add(lapses - person.looked_at, now - person.looked_at)


Schedule = Callable[[Sequence[Person]], Iterator[tuple[int, int]]]
"""Gives (minute, person) in the order of the looks; it is asked for the next only after the last has happened."""


def tiers(people: Sequence[Person]) -> Iterator[tuple[int, int]]:
    """The product's: every tick takes whoever falls due before the next."""
    due = [(START, number) for number in range(len(people))]
    for now in range(START, END, TICK):
        while due and due[0][0] < now + TICK:
            _, number = heapq.heappop(due)
            yield now, number
            heapq.heappush(due, (now + people[number].wait(now), number))


def everybody(people: Sequence[Person]) -> Iterator[tuple[int, int]]:
    return ((now, number) for now in range(START, END, HALF_HOUR) for number in range(len(people)))


def rotation(people: Sequence[Person]) -> Iterator[tuple[int, int]]:
    numbers = itertools.cycle(range(len(people)))
    return (
        (now, number) for now in range(START, END, HALF_HOUR) for number in itertools.islice(numbers, BATCH)
    )


def fixed_tiers(people: Sequence[Person]) -> Iterator[tuple[int, int]]:
    """Dealt out once by the month before: the most active tenth, the next three tenths, the rest."""
    ranked = sorted(range(len(people)), key=lambda n: -bisect_left(people[n].events, START))
    tenth = len(people) // 10
    every = {n: 30 if place < tenth else 120 if place < 4 * tenth else 480 for place, n in enumerate(ranked)}
    for now in range(START, END, HALF_HOUR):
        yield from ((now, number) for number in range(len(people)) if (now - START) % every[number] == 0)


SCHEDULES: dict[str, Schedule] = {
    "tiers": tiers, "everybody": everybody, "rotation": rotation, "fixed tiers": fixed_tiers,
}
TRACES: dict[str, Callable[..., Trace]] = {"recorded-like": recorded_like, "zipf": zipf}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    calls_per_day: float
    floor: float
    active_p95: int
    oldest: int
    lines: tuple[str, ...]

    @property
    def ratio(self) -> float:
        return self.calls_per_day / self.floor


def simulate(trace: Trace, schedule: Schedule) -> Outcome:
    people = [Person(events) for events in trace]
    tally = Tally()
    for now, number in schedule(people):
        tally.look(people[number], now)
    for person in people:
        tally.close(person)
    half_hours = tally.ages[Tier.ACTIVE].minutes / HALF_HOUR / MEASURED_DAYS
    percentiles = {tier: tally.ages[tier].percentiles(0.5, 0.95, 1.0) for tier in Tier}
    return Outcome(
        calls_per_day=tally.calls / MEASURED_DAYS + SENTINELS_PER_DAY,
        floor=3 * len(people) + half_hours + SENTINELS_PER_DAY, active_p95=percentiles[Tier.ACTIVE][1],
        oldest=max(each[2] for each in percentiles.values()), lines=_lines(percentiles, tally.found),
    )


def _lines(percentiles: dict[Tier, list[int]], found: list[int]) -> tuple[str, ...]:
    found.sort()
    waited = [found[min(int(share * len(found)), len(found) - 1)] for share in (0.5, 0.95)] if found else [0, 0]
    return (
        *("/".join(f"{minutes:>5}" for minutes in percentiles[tier]) for tier in Tier),
        f"{waited[0]:>5}/{waited[1]:>5}",
    )


def run(sizes: Sequence[int] = SIZES) -> dict[tuple[str, int, str], Outcome]:
    """Prints a table per trace and size; answers the figures."""
    outcomes = {}
    print(f"{MEASURED_DAYS} days after a month of history; ages and waits in minutes")
    for (name, make), people in itertools.product(TRACES.items(), sizes):
        trace = make(people)
        playing = sum(
            len({minute // DAY for minute in events if minute >= MEASURED_FROM}) for events in trace
        ) / MEASURED_DAYS / people
        print(f"\n{people:,} competitors, {name} trace, {playing:.0%} play on a day")
        print(f"{'':12} {'calls/day':>10} {'× floor':>8}  {'active':>17} {'moderate':>17} {'idle':>17}"
              f"  {'news waited':>11}")
        print(f"{'':12} {'':>10} {'':>8}  {'p50/  p95/  max':>17} {'p50/  p95/  max':>17} {'p50/  p95/  max':>17}"
              f"  {'p50/  p95':>11}")
        for label, schedule in SCHEDULES.items():
            outcome = outcomes[name, people, label] = simulate(trace, schedule)
            active, moderate, idle, waited = outcome.lines
            print(f"{label:12} {outcome.calls_per_day:>10,.0f} {outcome.ratio:>8.2f}  {active} {moderate} {idle}"
                  f"  {waited}")
    return outcomes


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="sideline bench freshness", description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=SIZES)
    run(parser.parse_args(list(arguments)).people)
