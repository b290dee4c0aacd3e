"""The league plays on while the sandbox runs, and did so while it did not."""

from pathlib import Path

from app.sandbox import league, living
from app.sandbox.journal import Journal
from app.sandbox.platform import APPROVAL_SECONDS, Platform
from app.sandbox.practice import choose
from app.sandbox.world import World
from tests.sandbox.conftest import COACH, NOW, STUDENT, Clock
from tests.sandbox.test_league import full_world, last_solve

DAY = 86_400


def solves_of(world: World) -> dict[str, object]:
    return {name: (dict(user.solves), dict(user.flash_ctfs)) for name, user in world.users.items()}


def played(steps: int) -> World:
    world = full_world()
    for number in range(1, steps + 1):
        living.step(world, NOW + number)
    return world


def test_the_same_steps_give_the_same_solves() -> None:
    assert solves_of(played(120)) == solves_of(played(120))


def test_most_steps_bring_a_solve_stamped_now() -> None:
    world = full_world()
    before = sum(len(user.solves) for user in world.users.values())
    for number in range(1, 41):
        living.step(world, NOW + number)
        assert world.last_at == NOW + number
    after = sum(len(user.solves) for user in world.users.values())
    assert 20 <= after - before <= 40
    assert max(last_solve(user) for user in world.users.values()) <= NOW + 40


def test_a_new_contest_opens_and_draws_solves() -> None:
    world = played(living.STEPS_TO_FIRST_FLASH_CTF + 60)
    (contest,) = [contest for contest in world.flash_ctfs.values() if contest.start > NOW]
    assert contest.start == NOW + living.STEPS_TO_FIRST_FLASH_CTF
    taking_part = [user for user in world.users.values() if contest.key in user.flash_ctfs]
    assert len(taking_part) > 10
    assert all(solve["timestamp_unix"] >= contest.start for user in taking_part
               for solve in user.flash_ctfs[contest.key].values())


def test_the_stuck_look_in_without_solving_and_the_silent_stay_silent() -> None:
    before, after = full_world(), played(400)
    for name, user in after.users.items():
        assert user.player
        if user.player.habit in ("stuck", "absent", "faded"):
            assert user.solves == before.users[name].solves
        if user.player.habit in ("absent", "faded"):
            assert user.last_accessed == before.users[name].last_accessed
    stuck = [user for user in after.users.values() if user.player and user.player.habit == "stuck"]
    assert any(user.last_accessed > NOW for user in stuck)


def test_there_is_always_something_left_to_solve() -> None:
    world = full_world()
    user = max(world.users.values(), key=lambda user: len(user.solves))

    for number in range(500):
        chosen = choose(league.dice(number), user.solved_challenges())
        assert chosen.id not in user.solved_challenges()
        solve = chosen.solve(user.next_solve_id(), int(NOW))
        world.record("user_solved", NOW, syned_user_id=user.syned_user_id, solve=solve)


def test_a_blank_world_stays_still() -> None:
    world = World(Journal(None), seed=7, has_league=False, now=NOW)
    platform = Platform(world, speed=60)
    for person in (COACH, STUDENT):
        platform.create_user(**person)
    for number in range(100):
        living.step(world, NOW + number)
    assert not any(user.solves for user in world.users.values())


def test_an_unknown_person_starts_empty_and_begins_to_play() -> None:
    world = World(Journal(None), seed=7, has_league=True, now=NOW)
    platform = Platform(world, speed=60)
    for person in (COACH, STUDENT):
        platform.create_user(**person)
    newcomer = world.users[STUDENT["syned_user_id"]]
    assert not newcomer.solves and newcomer.last_accessed == 0
    for number in range(60):
        living.step(world, NOW + number)
    assert newcomer.solves


def test_most_are_approved_at_once_two_wait_and_one_is_denied() -> None:
    clock = Clock()
    world = World(Journal(None), seed=7, has_league=True, now=NOW)
    platform = Platform(world, speed=60, clock=clock)
    platform.create_user(**COACH)

    new = [player for player in league.players(7) if not player.platform_id]
    told = [
        platform.create_user(
            syned_user_id=player.email, email=player.email, role="user", syned_coach_user_id=COACH["syned_user_id"]
        )
        for player in new
    ]
    statuses = [user["metactf_user_status"] for user in told]
    assert (statuses.count("approved"), statuses.count("denied")) == (len(new) - 3, 1)
    clock.now += APPROVAL_SECONDS / 60
    later = [platform.get_user(player.email)["metactf_user_status"] for player in new]
    assert (later.count("approved"), later.count("denied")) == (len(new) - 1, 1)


def test_practice_went_on_while_nobody_ran_the_sandbox(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state")
    world = World(journal, seed=7, has_league=True, now=NOW)
    before = {name: len(user.solves) for name, user in world.users.items()}
    world.catch_up(NOW + 60 * DAY)
    journal.close()
    again = World(Journal(tmp_path / "state"), seed=1, has_league=False, now=NOW + 60 * DAY)
    assert solves_of(again) == solves_of(world)
    assert any(len(user.solves) > before[name] for name, user in again.users.items())
    assert all(last_solve(user) <= NOW + 60 * DAY for user in again.users.values())
