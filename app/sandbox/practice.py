"""How people practise: what somebody of a given habit solved, day by day and Flash CTF by Flash CTF."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from app.sandbox.catalogue import FLASH_CTF_CHALLENGES, LAUNCHED, TOPICS, Challenge, challenge, flash_ctf_challenges
from app.sandbox.league import TIME_ZONE, dice

ZONE = ZoneInfo(TIME_ZONE)
YEAR_DAYS = 168
FLASH_CTFS = 6
FLASH_CTF_DAYS = 30
FLASH_CTF_HOUR = 17
FLASH_CTF_MINUTES = 180
DAYS_SINCE_LAST_FLASH_CTF = 3
FIELD = 640


@dataclass(frozen=True)
class Habit:
    """Pairs go from the beginning of the year to its end; `begins` and `stops` are shares of the year.

    `looks_on`: after `stops`, still looks in without solving. `drive`: how often it is their turn while the demo runs.
    """

    sessions_per_week: tuple[float, float]
    solves: tuple[int, int] = (1, 3)
    begins: float = 0
    stops: float = 2
    looks_on: bool = False
    joins: float = 0
    skill: tuple[float, float] = (0, 0)
    drive: int = 0


HABITS = {
    "strong": Habit((2.4, 2.8), (1, 4), joins=0.95, skill=(0.65, 0.9), drive=6),
    "steady": Habit((1.2, 1.2), joins=0.6, skill=(0.35, 0.45), drive=3),
    "improving": Habit((0.2, 3.2), (1, 4), joins=0.7, skill=(0.1, 0.75), drive=5),
    "stuck": Habit((1.6, 1.6), (1, 2), stops=0.7, looks_on=True, joins=0.5, skill=(0.25, 0.05), drive=2),
    "faded": Habit((1.0, 1.0), stops=0.3, joins=0.3, skill=(0.3, 0.2)),
    "absent": Habit((0, 0)),
    "new": Habit((3.0, 3.0), begins=0.92, joins=0.6, skill=(0.2, 0.3), drive=3),
}


@dataclass(frozen=True)
class Moment:
    """Somebody solved a challenge, or only looked in."""

    at: int
    challenge: Challenge | None = None


@dataclass(frozen=True)
class FlashCtf:
    """A monthly contest, named and dated as the platform tells it; it has no id of its own."""

    name: str
    start: int
    challenges: tuple[Challenge, ...] = ()
    max_points: int = 0

    @property
    def key(self) -> tuple[str, int]:
        return self.name, self.start

    @property
    def end(self) -> int:
        return self.start + FLASH_CTF_MINUTES * 60

    def rank(self, points: int) -> int:
        """Among a field of hundreds; a closed contest's ranks never change."""
        return 1 + int(FIELD * (1 - min(points / self.max_points, 1)) ** 1.5) if self.max_points else FIELD


def flash_ctf(name: str, start: int, edition: int) -> FlashCtf:
    challenges = flash_ctf_challenges(edition)
    return FlashCtf(name, start, challenges, sum(challenge.points for challenge in challenges))


def monthly_flash_ctfs(until: float) -> list[FlashCtf]:
    """The six of the school year so far, the latest a few days ago."""
    latest = _day(until) - timedelta(days=DAYS_SINCE_LAST_FLASH_CTF)
    days = [latest - timedelta(days=FLASH_CTF_DAYS * back) for back in reversed(range(FLASH_CTFS))]
    return [
        flash_ctf(f"{day:%B} Flash CTF", _moment(day, FLASH_CTF_HOUR), edition) for edition, day in enumerate(days)
    ]


def practise(habit: Habit, key: str, *, since: float, until: float, year_ends: float) -> Iterator[Moment]:
    """What one person did on demand between two times, in order. The same arguments give the same moments."""
    solved: set[int] = set()
    first, last = _day(year_ends) - timedelta(days=YEAR_DAYS), _day(until)
    for ago in range((last - first).days + 1):
        day = first + timedelta(days=ago)
        for moment in _sessions(habit, dice(key, day), day, min(ago / YEAR_DAYS, 1), solved):
            if since < moment.at <= until:
                yield moment


def _sessions(habit: Habit, random: Random, day: date, progress: float, solved: set[int]) -> Iterator[Moment]:
    if progress < habit.begins or random.random() > _between(habit.sessions_per_week, progress) / 7:
        return
    has_stopped = progress > habit.stops
    if has_stopped and not habit.looks_on:
        return
    at = _moment(day, random.uniform(10, 19) if day.weekday() >= 5 else random.uniform(15.5, 20.5))
    for _ in range(0 if has_stopped else random.randint(*habit.solves)):
        chosen = choose(random, solved)
        solved.add(chosen.id)
        yield Moment(at, chosen)
        at += 0 if random.random() < 0.04 else random.randint(180, 1500)
    yield Moment(at + random.randint(60, 600))


def choose(random: Random, solved: set[int]) -> Challenge:
    """One that is not solved yet, easier ones first. Who has solved nearly everything gets the sequels."""
    offered = max(LAUNCHED, len(solved) + len(TOPICS) * 2)
    unsolved = [number for number in range(1, offered + 1) if number not in solved]
    return challenge(unsolved[int(random.random() ** 2 * len(unsolved))])


def compete(habit: Habit, key: str, contest: FlashCtf, progress: float) -> list[Moment] | None:
    """What one person solved in a Flash CTF; None for who did not take part."""
    random = dice(key, contest.name, contest.start)
    if not habit.begins <= progress <= habit.stops or random.random() > habit.joins:
        return None
    share = _between(habit.skill, progress) + random.uniform(-0.15, 0.15)
    count = max(0, min(FLASH_CTF_CHALLENGES, round(share * FLASH_CTF_CHALLENGES)))
    times = sorted(random.randint(contest.start + 120, contest.end) for _ in range(count))
    chosen = sorted(random.sample(contest.challenges, count), key=lambda challenge: challenge.points)
    return [Moment(at, challenge) for at, challenge in zip(times, chosen, strict=True)]


def progress_at(at: float, *, year_ends: float) -> float:
    return min(max(1 - (year_ends - at) / (YEAR_DAYS * 86_400), 0), 1)


def _between(pair: tuple[float, float], progress: float) -> float:
    return pair[0] + (pair[1] - pair[0]) * progress


def _day(at: float) -> date:
    return datetime.fromtimestamp(at, ZONE).date()


def _moment(day: date, hour: float) -> int:
    return int(datetime.combine(day, time(), ZONE).timestamp() + hour * 3600)
