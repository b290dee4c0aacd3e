"""One look at each competitor's scores: questions to the vendor, no writes."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from app import database
from app.domain import flash_ctf, score_cursor
from app.domain.competitor_status import WAITING
from app.integrations.errors import ErrorKind, VendorError
from app.integrations.game_platform.client import GamePlatformClient
from app.integrations.game_platform.schemas import FlashCtfProgress, OdlScores, PlatformUser, UserStatus
from app.services import fan_out
from app.services.sync_selection import flash_ctf_events

ASK_WAITING_AFTER = timedelta(hours=8)
NO_FEED: Mapping[str, OdlScores] = {}
NEWEST = "select max(last_odl_synced_at), now() from game_platform_sync_state"

SUBJECTS = """
    select c.id as competitor_id, c.organization_id, s.syned_user_id, c.metactf_user_id, c.metactf_user_status,
        c.game_platform_activity_score as score, now() as loaded_at, c.platform_asked_at, s.last_attempt_at,
        s.last_odl_synced_at as cursor, s.last_remote_accessed_at as accessed_at, s.active_until,
        s.last_flash_ctf_synced_at as flash_asked_at, s.recounted_total, s.needs_totals_refresh,
        s.consecutive_failures, coalesce(t.stored, 0) as stored, coalesce(t.stored_odl, 0) as stored_odl,
        coalesce(t.recent, 0) as recent, coalesce(t.plays_flash_ctfs, false) as plays_flash_ctfs,
        array[o.active_look_minutes, o.moderate_look_minutes, o.idle_look_minutes] as promised_minutes
    from game_platform_sync_state s
    join competitors c on c.id = s.competitor_id
    join organizations o on o.id = c.organization_id
    left join lateral (
        select count(*) as stored, count(*) filter (where source = 'odl') as stored_odl,
            count(*) filter (where solved_at > now() - interval '30 days') as recent,
            bool_or(source = 'flash_ctf' and solved_at > now() - interval '30 days') as plays_flash_ctfs
        from game_platform_challenge_solves where syned_user_id = s.syned_user_id
    ) t on true
    where s.competitor_id = any($1::uuid[]) and c.archived_at is null
    order by array_position($1::uuid[], s.competitor_id)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A competitor to look at, and how far they have been read."""

    competitor_id: UUID
    organization_id: UUID
    syned_user_id: str
    metactf_user_id: str | None
    metactf_user_status: str | None
    score: int
    loaded_at: datetime
    platform_asked_at: datetime | None
    last_attempt_at: datetime | None
    cursor: datetime | None
    accessed_at: datetime | None
    active_until: datetime | None
    flash_asked_at: datetime | None
    recounted_total: int | None
    needs_totals_refresh: bool
    consecutive_failures: int
    stored: int
    stored_odl: int
    recent: int
    plays_flash_ctfs: bool
    promised_minutes: Sequence[int] = (30, 120, 480)
    lacks_flash_ctfs: bool = False
    may_play_flash_ctf: bool = False

    @property
    def is_approved(self) -> bool:
        return self.metactf_user_status not in (*WAITING, UserStatus.DENIED)

    @property
    def was_asked_lately(self) -> bool:
        """After an account that is not approved yet."""
        return self.platform_asked_at is not None and self.loaded_at < self.platform_asked_at + ASK_WAITING_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What came back. With an `error` the rest is what could be had all the same."""

    subject: Subject
    user: PlatformUser | None = None
    odl: OdlScores | None = None
    flash: FlashCtfProgress | None = None
    error: VendorError | None = None
    calls: Counter[str] = field(default_factory=Counter)
    was_full: bool = False
    is_flash_only: bool = False

    @property
    def status(self) -> str | None:
        return self.user.metactf_user_status.value if self.user else self.subject.metactf_user_status

    @property
    def is_waiting(self) -> bool:
        return self.status in WAITING


async def load_subjects(competitor_ids: Sequence[UUID]) -> list[Subject]:
    rows = await database.fetch(SUBJECTS, list(competitor_ids))
    if not rows:
        return []
    events, now = await flash_ctf_events(), rows[0]["loaded_at"]
    is_open, lacks_before = flash_ctf.is_open(events, now), flash_ctf.ask_who_was_asked_before(events, now)
    return [_subject(dict(row), lacks_before, is_open=is_open) for row in rows]


def _subject(row: dict[str, object], lacks_before: datetime | None, *, is_open: bool) -> Subject:
    subject = Subject(**row, may_play_flash_ctf=is_open)  # type: ignore[arg-type]
    asked_at = subject.flash_asked_at
    lacks = asked_at is None or (lacks_before is not None and asked_at < lacks_before)
    return replace(subject, lacks_flash_ctfs=lacks)


class Fetcher:
    """Looks at many at once. A refused token ends it: nobody else is asked after that."""

    def __init__(
        self, client: GamePlatformClient, *, concurrency: int, insist: bool = False,
        flash_only: Collection[UUID] = (), sentinels: Collection[UUID] = (),
    ) -> None:
        """`insist`: a person asked, so ask everything, and after waiting people even when they were asked lately."""
        self._client = client
        self._gate = asyncio.Semaphore(concurrency)
        self._insist = insist
        self._flash_only = flash_only
        self._sentinels = sentinels
        self._feed: dict[str, OdlScores] = {}
        self._feed_calls: Counter[str] = Counter()
        self.refused: VendorError | None = None

    async def open_feed(self, path: str) -> None:
        """From here on practice comes from one answer for everybody; whoever it leaves out is asked for alone."""
        newest, now = await database.fetchrow(NEWEST) or (None, None)
        self._feed_calls["odl_feed"] += 1
        feed = await self._client.odl_feed(path, after_time_unix=score_cursor.ask_after(newest, now) if now else None)
        self._feed = {odl.syned_user_id: odl for odl in feed.scores if odl.syned_user_id}

    async def look(self, subjects: Sequence[Subject], *, full: bool = False) -> list[Look]:
        """One look per subject, except for those not reached before the token was refused."""

        async def one(subject: Subject) -> Look | None:
            return None if self.refused else await self._look(subject, full=full)

        looks = await fan_out.each(subjects, one, concurrency=self._gate)
        return [look for look in looks if look is not None]

    async def look_again(self, looks: Sequence[Look]) -> list[Look]:
        """Everybody's practice from the beginning, in place of what the first look brought of it."""

        async def one(look: Look) -> Look:
            asking = _Asking(self._client, look.subject, full=True)
            try:
                await asking.practice()
            except VendorError as error:
                self._note(error)
                return replace(look, error=error, calls=look.calls + asking.calls)
            return replace(look, odl=asking.odl, was_full=True, calls=look.calls + asking.calls)

        return await fan_out.each([] if self.refused else looks, one, concurrency=self._gate)

    async def _look(self, subject: Subject, *, full: bool) -> Look:
        asking = _Asking(self._client, subject, full=full or subject.cursor is None)
        asking.calls, self._feed_calls = self._feed_calls, Counter()
        is_flash_only = subject.competitor_id in self._flash_only
        try:
            if subject.is_approved or await self._is_approved_now(asking):
                if not is_flash_only:
                    await asking.practice(self._feed)
                if full or self._insist or subject.competitor_id in self._sentinels or asking.hints_at_flash_ctf():
                    await asking.flash_ctfs()
        except VendorError as error:
            self._note(error)
            return asking.answer(error=error, is_flash_only=is_flash_only)
        return asking.answer(is_flash_only=is_flash_only)

    def _note(self, error: VendorError) -> None:
        if error.kind is ErrorKind.UNAUTHORIZED:
            self.refused = error

    async def _is_approved_now(self, asking: "_Asking") -> bool:
        if asking.subject.was_asked_lately and not self._insist:
            return False
        return (await asking.account()).metactf_user_status == UserStatus.APPROVED


class _Asking:
    """One subject's questions and what they have brought so far."""

    def __init__(self, client: GamePlatformClient, subject: Subject, *, full: bool) -> None:
        self.subject = subject
        self.odl: OdlScores | None = None
        self.calls: Counter[str] = Counter()
        self._full = full
        self._client = client
        self._user: PlatformUser | None = None
        self._flash: FlashCtfProgress | None = None

    async def account(self) -> PlatformUser:
        self.calls["get_user"] += 1
        self._user = await self._client.get_user(self.subject.syned_user_id)
        return self._user

    async def practice(self, feed: Mapping[str, OdlScores] = NO_FEED) -> None:
        if not self._full and self.subject.syned_user_id in feed:
            self.odl = feed[self.subject.syned_user_id]
            return
        after = None if self._full else score_cursor.ask_after(self.subject.cursor, self.subject.loaded_at)
        self.calls["odl_scores"] += 1
        odl = await self._client.odl_scores(self.subject.syned_user_id, after_time_unix=after)
        _require_same(self.subject.syned_user_id, odl.syned_user_id)
        self.odl = odl

    def hints_at_flash_ctf(self) -> bool:
        """Something is to be had, or this person moves while an event is on."""
        subject = self.subject
        if subject.lacks_flash_ctfs or subject.needs_totals_refresh:
            return True
        return subject.may_play_flash_ctf and self.odl is not None and self._moved(self.odl)

    def _moved(self, odl: OdlScores) -> bool:
        newest = max((solve.timestamp_unix for solve in odl.challenge_solves), default=0)
        has_solved = newest > (self.subject.cursor.timestamp() if self.subject.cursor else 0)
        return has_solved or is_later(odl.last_accessed_at, self.subject.accessed_at)

    async def flash_ctfs(self) -> None:
        self.calls["flash_ctf_progress"] += 1
        flash = await self._client.flash_ctf_progress(self.subject.syned_user_id)
        _require_same(self.subject.syned_user_id, flash.syned_user_id)
        self._flash = flash

    def answer(self, *, error: VendorError | None = None, is_flash_only: bool = False) -> Look:
        return Look(
            subject=self.subject, user=self._user, odl=self.odl, flash=self._flash, error=error, calls=self.calls,
            was_full=self._full, is_flash_only=is_flash_only,
        )


def is_later(accessed_at: datetime | None, known: datetime | None) -> bool:
    return accessed_at is not None and (known is None or accessed_at > known)


def _require_same(asked: str, answered: str | None) -> None:
    if answered not in (None, asked):
        raise VendorError(ErrorKind.BAD_SHAPE, "answered about another user than the one asked for")
