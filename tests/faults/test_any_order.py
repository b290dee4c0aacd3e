"""Coach edits, changes at the vendor, crashes and faults in any order: in the end both sides are equal, each once."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from app import database
from app.domain.competitor_status import Progress, competitor_status
from app.services import reconcile, team_endings, teams
from app.services.drift_actions import DriftError
from app.services.teams import TeamError
from tests import conftest
from tests.cast import Person, make_competitor, make_organization, make_user
from tests.clock import hours_go_by
from tests.faults.stage import connected, platform, run, run_and_kill, run_and_rob, sandbox_process
from tests.services.platform import Platform
from tests.services.rosters import as_coach

__all__ = ["connected", "platform", "sandbox_process"]

KINDS = ("game_platform_onboarding", "outbox_drain", "game_platform_sync", "game_platform_roster_reconcile")
PEOPLE = TEAMS = range(4)
CONTEST = {"flash_ctf_name": "May Flash CTF", "flash_ctf_time_start_unix": 1_770_000_000}
FIRST_SECOND = 1_770_000_100
FAULTS: tuple[dict[str, object], ...] = (
    {"kind": "server_error", "share": 0.3}, {"kind": "reset", "share": 0.3, "after_effect": True},
    {"kind": "reset", "share": 0.3}, {"kind": "malformed", "variant": "torn", "share": 0.3},
    {"kind": "server_error", "share": 0.5, "after_effect": True},
    {"kind": "poison", "variant": "missing_field", "count": 2},
    {"kind": "rate_limited", "retry_after": 0, "count": 1}, {"kind": "latency", "seconds": 0.03},
)

person, team = st.sampled_from(PEOPLE), st.sampled_from(TEAMS)
kind, moment = st.sampled_from(KINDS), st.floats(0, 0.15)
STEP = st.one_of(
    st.tuples(st.just("work"), kind), st.tuples(st.just("work"), kind), st.tuples(st.just("create_team"), team),
    st.tuples(st.just("delete_team"), team),
    st.tuples(st.just("add_member"), person, team), st.tuples(st.just("remove_member"), person, team),
    st.tuples(st.just("solve"), person, st.integers(0, 50)), st.tuples(st.just("solve_in_contest"), person),
    st.tuples(st.just("rescore"), person), st.tuples(st.just("place_there"), person, st.none() | team),
    st.tuples(st.just("decide"), person, st.sampled_from(("approved", "pending_approval"))),
    st.tuples(st.just("fail"), st.sampled_from(FAULTS)), st.tuples(st.just("heal")),
    st.tuples(st.just("go_by"), st.sampled_from((0.1, 1.0, 9.0))),
    st.tuples(st.just("kill"), kind, moment), st.tuples(st.just("rob"), kind, moment),
)


@dataclass
class Play:
    """One coach with two teams and four competitors; three of these are at the platform, two of them on a team."""

    platform: Platform
    coach: Person
    people: list[UUID]
    teams: dict[int, UUID] = field(default_factory=dict)

    async def create_team(self, number: int) -> None:
        if number not in self.teams:
            self.teams[number] = await teams.create(
                as_coach(self.coach), name=f"Team {number}", division="high_school", affiliation="Example School"
            )

    async def delete_team(self, number: int) -> None:
        await self._edit(number, lambda team_id: team_endings.delete(as_coach(self.coach), team_id))

    async def add_member(self, who: int, number: int) -> None:
        await self._edit(number, lambda team_id: teams.add_member(as_coach(self.coach), team_id, self.people[who]))

    async def remove_member(self, who: int, number: int) -> None:
        await self._edit(number, lambda team_id: teams.remove_member(as_coach(self.coach), team_id, self.people[who]))

    async def _edit(self, number: int, change: Any) -> None:
        """A coach sees refusals and goes on; a team that is gone is on no page."""
        try:
            if number in self.teams:
                await change(self.teams[number])
        except TeamError:
            return
        except teams.NotFound:
            del self.teams[number]

    async def solve(self, who: int, second: int) -> None:
        await self._tell(f"{self.people[who]}", "/solves", timestamp_unix=FIRST_SECOND + second)

    async def solve_in_contest(self, who: int) -> None:
        await self._tell(f"{self.people[who]}", "/solves", **CONTEST)

    async def rescore(self, who: int) -> None:
        account = str(self.people[who])
        solves = (await self.platform.hear("/truth")).get(account, {}).get("challenge_solves", [])
        for solve in solves[:1]:
            known = {"challenge_solve_id": solve["challenge_solve_id"], "challenge_points": 1}
            await self._tell(account, "/solves", **known)

    async def place_there(self, who: int, number: int | None) -> None:
        wanted = None if number is None else str(self.teams.get(number))
        if wanted is None or wanted in await self.platform.hear("/rosters"):
            await self._tell(str(self.people[who]), "/assignments", syned_team_id=wanted)

    async def decide(self, who: int, status: str) -> None:
        answer = await self.platform.control.post(f"/users/{self.people[who]}/status", json={"status": status})
        assert answer.status_code in (201, 404), answer.text

    async def _tell(self, syned_user_id: str, path: str, **what: object) -> None:
        answer = await self.platform.control.post(path, json={"syned_user_id": syned_user_id, **what})
        assert answer.status_code in (201, 404), answer.text

    async def fail(self, rule: dict[str, object]) -> None:
        await self.platform.fail(**rule)

    async def heal(self) -> None:
        await self.platform.control.delete("/faults")

    async def go_by(self, hours: float) -> None:
        await hours_go_by(hours)

    async def work(self, kind: str) -> None:
        await run(kind)

    async def kill(self, kind: str, after_seconds: float) -> None:
        await run_and_kill(kind, after_seconds)

    async def rob(self, kind: str, after_seconds: float) -> None:
        await run_and_rob(kind, after_seconds)

    async def calm_down(self) -> None:
        """The vendor is well and everybody approved; the schedules come round, and the coach insists on our rosters.

        A contest that few played may wait until the sentinel's turn comes to one of them.
        """
        await self.heal()
        for who in PEOPLE:
            await self.decide(who, "approved")
        for _ in range(2):
            await hours_go_by(9)
            for kind in KINDS:
                assert await run(kind) == "succeeded", kind
        for _ in PEOPLE:
            await hours_go_by(0.6)
            assert await run("game_platform_sync") == "succeeded"
        for row in await database.fetch("select id from drift where state <> 'resolved'"):
            try:
                await reconcile.push_ours(as_coach(self.coach), row["id"])
            except (DriftError, reconcile.NotFound):
                continue
        for kind in KINDS[1:]:
            assert await run(kind) == "succeeded", kind


async def begin(platform: Platform) -> Play:
    await database.execute_script(conftest.EMPTY_ALL)
    await platform.tell("/reset", {})
    coach = await make_user(await make_organization(), "coach", "Cora Cedar")
    people = [await make_competitor(coach, f"Person {who}", status="compliance") for who in PEOPLE[:3]]
    play = Play(platform, coach, people)
    for number in TEAMS[:2]:
        await play.create_team(number)
        await play.add_member(number, number)
    for kind in KINDS:
        assert await run(kind) == "succeeded"
    people.append(await make_competitor(coach, "Person 3", status="compliance"))
    return play


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(steps=st.lists(STEP, min_size=8, max_size=25))
async def test_in_any_order_both_sides_end_equal(connected: Platform, steps: list[tuple[Any, ...]]) -> None:
    play = await begin(connected)
    for what, *given_values in steps:
        await getattr(play, what)(*given_values)
        await assert_legal()
    await play.calm_down()
    await assert_legal()
    await assert_scores_are_equal(play)
    await assert_rosters_are_equal(play)
    await assert_each_effect_once(play)
    event(f"{len(await connected.hear('/effects')) // 5 * 5} effects or more")
    event(f"solves: {bool(await database.fetchval('select count(*) from game_platform_challenge_solves'))}")
    event(f"failed attempts: {bool(await database.fetchval('select count(*) from job_attempts'))}")
    event(f"drift: {bool(await database.fetchval('select count(*) from drift'))}")


async def assert_legal() -> None:
    """What must hold at every moment, also in the middle of trouble."""
    for row in await database.fetch(
        """select first_name, last_name, email, division, coach_id, release_signed, agreement_signed, data_consent,
               game_platform_id, metactf_user_status, status from competitors"""
    ):
        facts = dict(row)
        assert facts.pop("status") == competitor_status(Progress(**facts))
    assert not await database.fetchval(
        """select exists (select from game_platform_sync_state s join game_platform_challenge_solves v
               using (syned_user_id) where v.source = 'odl' group by s.syned_user_id, s.last_odl_synced_at
               having s.last_odl_synced_at > max(v.solved_at))"""
    ), "a cursor beyond what is stored"


async def assert_scores_are_equal(play: Play) -> None:
    truth = await play.platform.hear("/truth")
    for competitor_id in play.people:
        account = truth[str(competitor_id)]
        flash = [solve for contest in account["flash_ctfs"] for solve in contest["challenge_solves"]]
        expected = {("odl", str(solve["challenge_solve_id"])): solve for solve in account["challenge_solves"]}
        expected |= {("flash_ctf", str(solve["challenge_solve_id"])): solve for solve in flash}
        stored = await database.fetch(
            """select source, challenge_solve_id, challenge_points from game_platform_challenge_solves
               where competitor_id = $1""",
            competitor_id,
        )
        assert Counter((row["source"], row["challenge_solve_id"]) for row in stored) == Counter(expected.keys())
        stats = await database.fetchrow(
            "select challenges_completed, total_score from game_platform_stats where competitor_id = $1", competitor_id
        )
        points = account["total_points"] + sum(contest["points_earned"] for contest in account["flash_ctfs"])
        assert tuple(stats or (0, 0)) == (len(expected), points)


async def assert_rosters_are_equal(play: Play) -> None:
    there = {
        syned_team_id: team["members"] for syned_team_id, team in (await play.platform.hear("/rosters")).items()
    }
    rows = await database.fetch(
        """select coalesce(t.game_platform_id, t.id::text) as team,
               coalesce(array_agg(c.game_platform_id order by c.game_platform_id)
                   filter (where c.id is not null), '{}') as members
           from teams t left join team_memberships m on m.team_id = t.id
           left join competitors c on c.id = m.competitor_id group by 1"""
    )
    assert there == {row["team"]: list(row["members"]) for row in rows}
    unsettled = await database.fetch("select kind, state, reason from outbox where state in ('waiting', 'parked')")
    assert unsettled == []
    open_drift = await database.fetch("select subject_type, field, ours, theirs from drift where state = 'open'")
    assert open_drift == []


async def assert_each_effect_once(play: Play) -> None:
    effects = await play.platform.hear("/effects")
    made = Counter((told["what"], told.get("syned_team_id"), told.get("syned_user_id")) for told in effects
                   if told["what"] in ("user_created", "team_created", "team_deleted"))
    assert [what for what, times in made.items() if times > 1] == []
