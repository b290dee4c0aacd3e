"""Vendor records that could not be read: kept with their reason, without what would name a person."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app import database

MAX_DEPTH = 6
MAX_ITEMS = 50
MAX_TEXT = 200
PERSONAL = re.compile(r"mail|(first|last|user|nick|display|preferred)_?name|^name$|phone|birth|address|token", re.I)
EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


@dataclass(frozen=True, slots=True)
class BadRecord:
    kind: str
    subject_id: str
    competitor_id: UUID | None
    raw: object
    reason: str


@dataclass(frozen=True, slots=True)
class UnreadablePerson:
    """Somebody about whom the vendor answers nothing that can be read."""

    competitor_id: UUID
    subject_id: str
    reason: str
    retry_at: datetime


async def put_people_aside(vendor: str, people: Sequence[UnreadablePerson]) -> None:
    """In the caller's transaction: one open row each, with how often it was tried and when it is tried again."""
    if people:
        await database.execute(
            """insert into quarantine (vendor, kind, subject_id, record_key, competitor_id, reason, retry_at)
               select $1, 'competitor', subject_id, '', competitor_id, reason, retry_at
               from unnest($2::text[], $3::uuid[], $4::text[], $5::timestamptz[])
                   as n (subject_id, competitor_id, reason, retry_at)
               on conflict (vendor, kind, subject_id, record_key) do update set
                   seen_count = case when quarantine.resolved_at is null then quarantine.seen_count else 0 end + 1,
                   last_seen_at = now(), reason = excluded.reason, retry_at = excluded.retry_at, resolved_at = null""",
            vendor, [each.subject_id for each in people], [each.competitor_id for each in people],
            [each.reason for each in people], [each.retry_at for each in people],
        )


async def release_people(vendor: str, competitor_ids: Sequence[UUID]) -> None:
    """In the caller's transaction: they could be read again."""
    if competitor_ids:
        await database.execute(
            """update quarantine set resolved_at = now(), retry_at = null
               where vendor = $1 and kind = 'competitor' and competitor_id = any($2::uuid[]) and resolved_at is null""",
            vendor, list(competitor_ids),
        )


async def put_aside(vendor: str, records: Sequence[BadRecord]) -> None:
    """In the caller's transaction. A record that comes with every answer is written again once a day at most."""
    distinct = {(record.kind, record.subject_id, record_key(record.raw)): record for record in records}
    if not distinct:
        return
    await database.execute(
        """insert into quarantine (vendor, kind, subject_id, record_key, competitor_id, reason, raw_payload)
           select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::jsonb[])
           on conflict (vendor, kind, subject_id, record_key) do update set
               seen_count = quarantine.seen_count + 1, last_seen_at = now(), reason = excluded.reason,
               resolved_at = null
           where quarantine.resolved_at is not null or quarantine.last_seen_at < now() - interval '1 day'""",
        vendor, *([key[part] for key in distinct] for part in range(3)),
        [record.competitor_id for record in distinct.values()], [record.reason for record in distinct.values()],
        [json.dumps(masked(record.raw)) for record in distinct.values()],
    )


def record_key(raw: object) -> str:
    return hashlib.sha256(json.dumps(raw, sort_keys=True, default=repr).encode()).hexdigest()


def masked(value: object, depth: int = 0) -> object:
    """The record's shape and harmless values: enough to see what is wrong, bounded in size."""
    if depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        items = list(value.items())[:MAX_ITEMS]
        return {
            str(name)[:MAX_TEXT]: "•••" if PERSONAL.search(str(name)) else masked(item, depth + 1)
            for name, item in items
        }
    if isinstance(value, (list, tuple)):
        return [masked(item, depth + 1) for item in value[:MAX_ITEMS]]
    if isinstance(value, str):
        return EMAIL.sub("•••", value[:MAX_TEXT])
    return value if value is None or isinstance(value, (bool, int, float)) else repr(value)[:MAX_TEXT]
