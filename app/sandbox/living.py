"""The league plays on: one step after another, the same for the same seed, step number and accounts."""

from random import Random

from app.sandbox.catalogue import Challenge
from app.sandbox.history import FIRST_FLASH_SOLVE_ID
from app.sandbox.league import dice
from app.sandbox.people import User
from app.sandbox.practice import FlashCtf, Habit, choose, flash_ctf
from app.sandbox.world import World

SECONDS_PER_STEP = 240
STEPS_TO_FIRST_FLASH_CTF = 45
STEPS_BETWEEN_FLASH_CTFS = 900
STEPS_OF_A_FLASH_CTF = 200
FIRST_LIVE_EDITION = 20


def step(world: World, now: float) -> None:
    """Somebody solves something, or only looks in; from time to time a Flash CTF opens and draws the solvers."""
    number = world.steps + 1
    world.steps = number
    if number % STEPS_BETWEEN_FLASH_CTFS == STEPS_TO_FIRST_FLASH_CTF and world.has_league:
        _open_flash_ctf(world, number, now)
    active = [(user, habit) for user, habit in world.active(now) if habit.drive]
    if active:
        random = dice(world.seed, "step", number)
        user, habit = random.choices(active, [habit.drive for _, habit in active])[0]
        _play(world, user, habit, number, random, now)


def _open_flash_ctf(world: World, number: int, now: float) -> None:
    edition = FIRST_LIVE_EDITION + number // STEPS_BETWEEN_FLASH_CTFS
    name = f"Flash CTF Special {number // STEPS_BETWEEN_FLASH_CTFS + 1}"
    contest = flash_ctf(name, int(now), edition)
    world.record(
        "flash_ctf_opened", now, step=number, name=name, start=contest.start, edition=edition,
        max_points=contest.max_points,
    )


def _play(world: World, user: User, habit: Habit, number: int, random: Random, now: float) -> None:
    contest = _open_contest(world, number, now)
    if habit.looks_on or random.random() < 0.1:
        world.record("user_looked_in", now, step=number, syned_user_id=user.syned_user_id)
    elif contest and random.random() < 0.6 and (unsolved := _unsolved(user, contest)):
        solved = len(user.flash_ctfs.get(contest.key, {}))
        solve = random.choice(unsolved).solve(FIRST_FLASH_SOLVE_ID + solved, int(now))
        _record_solve(world, user, number, now, solve, flash_ctf=list(contest.key))
    else:
        solve = choose(random, user.solved_challenges()).solve(user.next_solve_id(), int(now))
        _record_solve(world, user, number, now, solve)


def _record_solve(world: World, user: User, number: int, now: float, solve: object, **told: object) -> None:
    world.record("user_solved", now, step=number, syned_user_id=user.syned_user_id, solve=solve, **told)


def _open_contest(world: World, number: int, now: float) -> FlashCtf | None:
    """The Flash CTF that is on: the latest, for some steps after it opened and not past its end."""
    since_opening = (number - STEPS_TO_FIRST_FLASH_CTF) % STEPS_BETWEEN_FLASH_CTFS
    if number < STEPS_TO_FIRST_FLASH_CTF or since_opening > STEPS_OF_A_FLASH_CTF:
        return None
    latest = max(world.flash_ctfs.values(), key=lambda contest: contest.start, default=None)
    return latest if latest and now <= latest.end else None


def _unsolved(user: User, contest: FlashCtf) -> list[Challenge]:
    solved = {solve["challenge_id"] for solve in user.flash_ctfs.get(contest.key, {}).values()}
    return [challenge for challenge in contest.challenges if challenge.id not in solved]
