"""A look turned into rows, compared with what is stored: what is new, and whether a count disagrees."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic_core import to_json

from app import database
from app.domain import score_cursor
from app.domain.categories import category_of
from app.domain.flash_ctf import event_id
from app.domain.sync_tiers import ACTIVE_LASTS
from app.integrations.game_platform.schemas import ChallengeSolve, FlashCtf
from app.integrations.records import RejectedRecord
from app.services.quarantine import BadRecord
from app.services.score_fetch import Look, is_later

ON_DEMAND = "odl"
FLASH_CTF = "flash_ctf"

STORED_KEYS = """
    select s.syned_user_id, s.source, s.event_id, s.challenge_solve_id
    from unnest($1::text[], $2::text[], $3::text[], $4::text[])
        as asked (syned_user_id, source, event_id, challenge_solve_id)
    join game_platform_challenge_solves s using (syned_user_id, source, event_id, challenge_solve_id)
"""

Key = tuple[str, str, str, str]


class SolveRow(NamedTuple):
    """In the order of the columns that are written."""

    syned_user_id: str
    source: str
    event_id: str
    challenge_solve_id: str
    competitor_id: UUID
    metactf_user_id: str | None
    challenge_id: str
    challenge_title: str
    challenge_category: str
    category: str
    challenge_points: int
    solved_at: datetime
    raw_payload: str


class EventRow(NamedTuple):
    competitor_id: UUID
    syned_user_id: str
    metactf_user_id: str | None
    event_id: str
    name: str
    challenges_solved: int
    score: int
    max_points: int
    rank: int | None
    started_at: datetime
    raw_payload: str


@dataclass(frozen=True, slots=True)
class Reading:
    """`fresh` are the solves that are not stored yet; `stored_odl` counts on-demand solves once they are."""

    look: Look
    fresh: Sequence[SolveRow]
    events: Sequence[EventRow]
    bad: Sequence[BadRecord]
    cursor: datetime | None
    stored_odl: int
    must_reread: bool
    recounted_total: int | None

    @property
    def has_news(self) -> bool:
        """A new solve or access. What a first look finds is history, but for an access within the hour."""
        subject, accessed_at = self.look.subject, self.look.odl.last_accessed_at if self.look.odl else None
        if subject.last_attempt_at is None:
            return accessed_at is not None and accessed_at > subject.loaded_at - ACTIVE_LASTS
        return bool(self.fresh) or is_later(accessed_at, subject.accessed_at)


async def read(looks: Sequence[Look]) -> list[Reading]:
    solves = [dict(_solves(look)) for look in looks]
    stored = await _stored_keys(looks, solves)
    return [_reading(look, rows, stored) for look, rows in zip(looks, solves, strict=True)]


async def _stored_keys(looks: Sequence[Look], solves: Sequence[dict[Key, SolveRow]]) -> set[Key]:
    """Which of these solves are stored. Whoever has none stored need not be asked about."""
    keys = [key for look, rows in zip(looks, solves, strict=True) if look.subject.stored for key in rows]
    if not keys:
        return set()
    return {tuple(row) for row in await database.fetch(STORED_KEYS, *map(list, zip(*keys, strict=True)))}


def _reading(look: Look, rows: dict[Key, SolveRow], stored: set[Key]) -> Reading:
    fresh = [row for key, row in rows.items() if key not in stored]
    stored_odl = look.subject.stored_odl + sum(row.source == ON_DEMAND for row in fresh)
    must_reread, recounted_total = False, look.subject.recounted_total
    if look.odl is not None:
        must_reread, recounted_total = score_cursor.recount(
            stored=stored_odl, total=look.odl.total_challenges_solved, recounted_total=recounted_total,
            was_full=look.was_full,
        )
    read_at = [row.solved_at for row in rows.values() if row.source == ON_DEMAND]
    return Reading(
        look=look, fresh=fresh, events=list({row.event_id: row for row in _events(look)}.values()),
        bad=list(_bad(look)), cursor=score_cursor.advanced(look.subject.cursor, read_at, look.subject.loaded_at),
        stored_odl=stored_odl, must_reread=must_reread, recounted_total=recounted_total,
    )


def _solves(look: Look) -> Iterator[tuple[Key, SolveRow]]:
    """By key: a solve id may repeat across events, and within one answer."""
    if look.odl is not None:
        yield from _solve_rows(look, ON_DEMAND, "", look.odl.challenge_solves)
    for item in look.flash.flash_ctfs if look.flash else ():
        event = event_id(item.flash_ctf_name, item.flash_ctf_time_start_unix)
        yield from _solve_rows(look, FLASH_CTF, event, item.challenge_solves)


def _solve_rows(
    look: Look, source: str, event: str, solves: Sequence[ChallengeSolve]
) -> Iterator[tuple[Key, SolveRow]]:
    competitor_id, syned_user_id = look.subject.competitor_id, look.subject.syned_user_id
    metactf_user_id = _metactf_user_id(look)
    for solve in solves:
        category = solve.challenge_category
        key = (syned_user_id, source, event, solve.challenge_solve_id)
        yield key, SolveRow(
            *key, competitor_id, metactf_user_id, solve.challenge_id, solve.challenge_title, category,
            category_of(category), solve.challenge_points, score_cursor.from_unix(solve.timestamp_unix),
            to_json(solve.raw).decode(),
        )


def _events(look: Look) -> Iterator[EventRow]:
    for item in look.flash.flash_ctfs if look.flash else ():
        yield EventRow(
            look.subject.competitor_id, look.subject.syned_user_id, _metactf_user_id(look),
            event_id(item.flash_ctf_name, item.flash_ctf_time_start_unix), item.flash_ctf_name.strip(),
            item.challenges_solved, item.points_earned, item.max_points_possible, item.rank,
            score_cursor.from_unix(item.flash_ctf_time_start_unix), to_json(_without_solves(item)).decode(),
        )


def _without_solves(item: FlashCtf) -> dict[str, object]:
    return {name: value for name, value in item.raw.items() if name != FlashCtf.LIST}


def _bad(look: Look) -> Iterator[BadRecord]:
    if look.odl is not None:
        yield from _bad_records(look, "odl_solve", look.odl.rejected)
    if look.flash is not None:
        yield from _bad_records(look, "flash_ctf", look.flash.rejected)
        for item in look.flash.flash_ctfs:
            yield from _bad_records(look, "flash_ctf_solve", item.rejected)


def _bad_records(look: Look, kind: str, rejected: Sequence[RejectedRecord]) -> Iterator[BadRecord]:
    for record in rejected:
        yield BadRecord(kind, look.subject.syned_user_id, look.subject.competitor_id, record.raw, record.reason)


def _metactf_user_id(look: Look) -> str | None:
    return look.odl.metactf_user_id if look.odl else look.subject.metactf_user_id

