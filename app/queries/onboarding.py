"""The way onto the Game Platform as pages show it: each person's button, who waits for whom, and what a run did."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app import database
from app.domain.competitor_status import Progress
from app.domain.onboarding_button import DONE, Button, ButtonState, Trail, onboarding_button
from app.domain.readers import Sight
from app.queries.keyset import Arguments
from app.queries.scopes import Frame

ALREADY_THERE = "already there"
NOT_REACHED = "The run ended before this competitor's turn. Add them again."

WAITING = "c.metactf_user_status in ('user_created', 'pending_approval')"
HAS_ACCOUNT = "coalesce(c.metactf_user_status in ('user_created', 'pending_approval', 'approved'), false)"
# Their status is reached and only the coach's account, which is not approved, stands between them and the platform.
HELD_BACK = f"""
    not {HAS_ACCOUNT} and c.metactf_user_status is distinct from 'denied'
    and (c.status = 'compliance' or (c.status = 'profile' and o.onboarding_status = 'profile'))
    and (c.data_consent or c.division = 'college')
    and u.metactf_user_status is not null and u.metactf_user_status <> 'approved'
"""


@dataclass(frozen=True, slots=True)
class CoachWaiting:
    """Of one coach's competitors: who waits for the platform's approval, was denied, or is held back by the coach."""

    coach_id: UUID
    name: str
    waiting: int
    denied: int
    held_back: int


@dataclass(frozen=True, slots=True)
class ReportRow:
    """`outcome`: added, already there, adding, waiting or refused; `reason` where there is one."""

    competitor_id: UUID
    name: str
    handle: str
    outcome: str
    reason: str


async def waiting_by_coach(sight: Sight) -> tuple[CoachWaiting, ...]:
    """Only coaches who have somebody to wait for."""
    condition, arguments = sight.condition("c.coach_id", "m.team_id", 1)
    return await _waiting(condition, arguments)


async def waiting_in(frame: Frame) -> tuple[CoachWaiting, ...]:
    """The same of the people of a page."""
    arguments = Arguments()
    return await _waiting(frame.people(arguments), arguments.values)


async def _waiting(condition: str, arguments: Sequence[object]) -> tuple[CoachWaiting, ...]:
    rows = await database.fetch(
        f"""select coach_id, name, waiting, denied, held_back from (
                select u.id as coach_id,
                    coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name)) as name,
                    count(*) filter (where {WAITING}) as waiting,
                    count(*) filter (where c.metactf_user_status = 'denied') as denied,
                    count(*) filter (where {HELD_BACK}) as held_back
                from competitors c join organizations o on o.id = c.organization_id join users u on u.id = c.coach_id
                    left join team_memberships m on m.competitor_id = c.id
                where c.archived_at is null and {condition}
                group by u.id
            ) as coaches where waiting + denied + held_back > 0 order by name, coach_id""",  # noqa: S608
        *arguments,
    )
    return tuple(CoachWaiting(**row) for row in rows)


async def buttons(sight: Sight, competitor_ids: Collection[UUID]) -> dict[UUID, Button]:
    """For those of them that are in sight."""
    condition, arguments = sight.condition("c.coach_id", "m.team_id", 2)
    rows = await database.fetch(
        f"{_PEOPLE} where c.id = any($1::uuid[]) and {condition}", list(competitor_ids), *arguments
    )
    return {row["id"]: _button(row) for row in rows}


async def report(sight: Sight, run_id: UUID) -> tuple[ReportRow, ...]:
    """What a run did with each competitor that it was asked for, or that it changed; those in sight."""
    condition, arguments = sight.condition("c.coach_id", "m.team_id", 2)
    rows = await database.fetch(
        f"""with run as (
                select state, payload from job_runs where id = $1 and kind = 'game_platform_onboarding'
            ), done as (
                select distinct on (competitor_id) competitor_id, details from activity_events
                where run_id = $1 and kind in ('competitor_onboarded', 'competitor_held_back')
                order by competitor_id, id desc
            ), concerned as (
                select value::uuid as id from run, jsonb_array_elements_text(payload -> 'competitor_ids')
                union select competitor_id from done, run
            )
            select people.*, done.details, (select state from run) as run_state
            from ({_PEOPLE} where {condition}) as people
                join concerned on concerned.id = people.id left join done on done.competitor_id = people.id
            order by people.last_name, people.first_name, people.id""",  # noqa: S608
        run_id, *arguments,
    )
    return tuple(_report_row(row) for row in rows)


_PEOPLE = """
    select c.id, c.first_name, c.last_name, coalesce(c.metactf_username, '') as handle, c.email, c.division, c.coach_id,
        c.release_signed, c.agreement_signed, c.data_consent, c.game_platform_id, c.metactf_user_status,
        c.game_platform_sync_error, c.onboarding_asked_at, c.game_platform_synced_at, o.onboarding_status,
        o.automatic_onboarding,
        u.metactf_user_status as coach_account, u.game_platform_synced_at as coach_since
    from competitors c join organizations o on o.id = c.organization_id left join users u on u.id = c.coach_id
        left join team_memberships m on m.competitor_id = c.id
"""


def _button(row: Any) -> Button:
    progress = Progress(**{name: row[name] for name in Progress.__dataclass_fields__})
    return onboarding_button(progress, Trail(
        onboarding_status=row["onboarding_status"], is_automatic=row["automatic_onboarding"],
        error=row["game_platform_sync_error"], is_asked=row["onboarding_asked_at"] is not None,
        account_since=row["game_platform_synced_at"], coach_account=row["coach_account"],
        coach_since=row["coach_since"],
    ))


def _report_row(row: Any) -> ReportRow:
    details = json.loads(row["details"]) if row["details"] else {}
    outcome, reason = _outcome(details, _button(row), is_over=row["run_state"] not in ("queued", "running"))
    name = f"{row['first_name']} {row['last_name']}".strip()
    return ReportRow(row["id"], name, row["handle"], outcome, reason)


def _outcome(details: dict[str, str], button: Button, *, is_over: bool) -> tuple[str, str]:
    """What the run wrote down; where it found nothing new, how the competitor stands."""
    if written := details.get("outcome"):
        words = {"adopted": ALREADY_THERE, "failed": "waiting"}.get(written, written)
        return words, details.get("reason") or (button.reason if words in ("waiting", "refused") else "")
    match button.state:
        case ButtonState.DONE:
            return ALREADY_THERE, DONE
        case ButtonState.WAITING:
            return "waiting", button.reason
        case ButtonState.REFUSED | ButtonState.BLOCKED:
            return "refused", button.reason
        case _ if is_over:
            return "waiting", button.reason or NOT_REACHED
    return "adding", button.reason
