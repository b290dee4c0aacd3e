"""What a member of the league did before the world started."""

from collections.abc import Sequence

from app.sandbox.people import SOLVE_IDS_PER_USER, Past, User
from app.sandbox.practice import FlashCtf, Habit, compete, practise, progress_at

FIRST_FLASH_SOLVE_ID = 1801


def recall(user: User, key: str, contests: Sequence[FlashCtf], began: float) -> Past:
    """The same past each time; a stranger to the league has none."""
    past = Past()
    if user.player is None or user.habit is None:
        return past
    for moment in practise(user.habit, key, since=0, until=began, year_ends=began):
        past.last_accessed = moment.at
        if moment.challenge:
            solve_id = user.number * SOLVE_IDS_PER_USER + len(past.solves) + 1
            past.solves[solve_id] = moment.challenge.solve(solve_id, moment.at)
    for contest in contests:
        if contest.end <= began:
            _take_part(past, user.habit, key, contest, progress_at(contest.start, year_ends=began))
    return past


def _take_part(past: Past, habit: Habit, key: str, contest: FlashCtf, progress: float) -> None:
    moments = compete(habit, key, contest, progress)
    if moments is None:
        return
    past.flash_ctfs[contest.key] = {
        solve_id: moment.challenge.solve(solve_id, moment.at)
        for solve_id, moment in enumerate(moments, FIRST_FLASH_SOLVE_ID)
        if moment.challenge
    }
    past.last_accessed = max([past.last_accessed, *(moment.at for moment in moments)])
