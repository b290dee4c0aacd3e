"""One look at each competitor's scores: questions to the vendor, no writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app import database
from app.domain import score_cursor
from app.domain.competitor_status import WAITING
from app.integrations.errors import ErrorKind, VendorError
from app.integrations.game_platform.client import GamePlatformClient
from app.integrations.game_platform.schemas import FlashCtfProgress, OdlScores, PlatformUser, UserStatus
from app.services import fan_out

SUBJECTS = """
    select c.id as competitor_id, c.organization_id, s.syned_user_id, c.metactf_user_id, c.metactf_user_status,
        coalesce(c.platform_asked_at > now() - interval '8 hours', false) as was_asked_lately,
        s.last_odl_synced_at as cursor, s.recounted_total, s.needs_totals_refresh,
        coalesce(t.stored, 0) as stored, coalesce(t.stored_odl, 0) as stored_odl
    from game_platform_sync_state s
    join competitors c on c.id = s.competitor_id
    left join lateral (
        select count(*) as stored, count(*) filter (where source = 'odl') as stored_odl
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
    was_asked_lately: bool
    cursor: datetime | None
    recounted_total: int | None
    needs_totals_refresh: bool
    stored: int
    stored_odl: int

    @property
    def is_approved(self) -> bool:
        return self.metactf_user_status not in (*WAITING, UserStatus.DENIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What came back. With an `error` the rest is what could be had all the same."""

    subject: Subject
    user: PlatformUser | None = None
    odl: OdlScores | None = None
    flash: FlashCtfProgress | None = None
    error: VendorError | None = None
    calls: int = 0
    was_full: bool = False

    @property
    def status(self) -> str | None:
        return self.user.metactf_user_status.value if self.user else self.subject.metactf_user_status

    @property
    def is_waiting(self) -> bool:
        return self.status in WAITING


def needs_flash(subject: Subject) -> bool:
    """Flash CTFs have no cursor: whoever may have played one is asked at every look."""
    return subject.is_approved


async def load_subjects(competitor_ids: Sequence[UUID]) -> list[Subject]:
    rows = await database.fetch(SUBJECTS, list(competitor_ids))
    return [Subject(**row) for row in rows]


class Fetcher:
    """Looks at many at once. A refused token ends it: nobody else is asked after that."""

    def __init__(self, client: GamePlatformClient, *, concurrency: int, insist: bool = False) -> None:
        """`insist`: ask after waiting people even when they were asked lately."""
        self._client = client
        self._concurrency = concurrency
        self._insist = insist
        self.refused: VendorError | None = None

    async def look(self, subjects: Sequence[Subject], *, full: bool = False) -> list[Look]:
        """One look per subject, except for those not reached before the token was refused."""

        async def one(subject: Subject) -> Look | None:
            return None if self.refused else await self._look(subject, full=full)

        looks = await fan_out.each(subjects, one, concurrency=self._concurrency)
        return [look for look in looks if look is not None]

    async def _look(self, subject: Subject, *, full: bool) -> Look:
        asking = _Asking(self._client, subject)
        try:
            if not subject.is_approved and not await self._is_approved_now(asking):
                return asking.answer()
            await asking.scores(full=full)
            return asking.answer(was_full=full or subject.cursor is None)
        except VendorError as error:
            if error.kind is ErrorKind.UNAUTHORIZED:
                self.refused = error
            return asking.answer(error=error, was_full=full or subject.cursor is None)

    async def _is_approved_now(self, asking: "_Asking") -> bool:
        if asking.subject.was_asked_lately and not self._insist:
            return False
        return (await asking.account()).metactf_user_status == UserStatus.APPROVED


class _Asking:
    """One subject's questions and what they have brought so far."""

    def __init__(self, client: GamePlatformClient, subject: Subject) -> None:
        self.subject = subject
        self._client = client
        self._calls = 0
        self._user: PlatformUser | None = None
        self._odl: OdlScores | None = None
        self._flash: FlashCtfProgress | None = None

    async def account(self) -> PlatformUser:
        self._calls += 1
        self._user = await self._client.get_user(self.subject.syned_user_id)
        return self._user

    async def scores(self, *, full: bool) -> None:
        syned_user_id = self.subject.syned_user_id
        after = None if full else score_cursor.ask_after(self.subject.cursor)
        self._calls += 1
        odl = await self._client.odl_scores(syned_user_id, after_time_unix=after)
        _require_same(syned_user_id, odl.syned_user_id)
        self._odl = odl
        if self._user or needs_flash(self.subject):
            self._calls += 1
            flash = await self._client.flash_ctf_progress(syned_user_id)
            _require_same(syned_user_id, flash.syned_user_id)
            self._flash = flash

    def answer(self, *, error: VendorError | None = None, was_full: bool = False) -> Look:
        return Look(
            subject=self.subject, user=self._user, odl=self._odl, flash=self._flash, error=error, calls=self._calls,
            was_full=was_full,
        )


def _require_same(asked: str, answered: str | None) -> None:
    if answered not in (None, asked):
        raise VendorError(ErrorKind.BAD_SHAPE, "answered about another user than the one asked for")
