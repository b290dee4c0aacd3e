"""When and about what a person gets mail. The page has everything, whatever is chosen here."""

import json
from collections.abc import Sequence
from urllib.parse import quote
from uuid import UUID

import asyncpg

from app import database
from app.domain.digests import KINDS, MAIL_TIMES, Preferences
from app.domain.readers import Reader
from app.security import audit
from app.security.encryption import DecryptionError, decrypt, encrypt
from app.services import notices
from app.settings import get_settings

PATH = "/notifications/unsubscribe"
CONTEXT = "notifications.unsubscribe"
COLUMNS = "mail, daily_hour, quiet_from_hour, quiet_until_hour, muted"


class BadPreference(Exception):
    """`field` has a value that is not offered."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class BadLink(Exception):
    """The link of a mail is damaged, or not ours."""


async def read(user_id: UUID) -> Preferences:
    row = await database.fetchrow(
        f"select {COLUMNS} from notification_preferences where user_id = $1", user_id  # noqa: S608
    )
    return preferences_of(row) if row else Preferences()


def preferences_of(row: asyncpg.Record) -> Preferences:
    """A row that may be nobody's yet, from a left join."""
    if row["mail"] is None:
        return Preferences()
    return Preferences(
        row["mail"], row["daily_hour"], row["quiet_from_hour"], row["quiet_until_hour"],
        tuple(json.loads(row["muted"])),
    )


async def save(
    reader: Reader, *, mail: str, daily_hour: str, quiet_from_hour: str, quiet_until_hour: str, muted: Sequence[str]
) -> None:
    """Raises BadPreference."""
    if mail not in MAIL_TIMES:
        raise BadPreference("mail", "Choose when mail may come.")
    if not set(muted) <= set(KINDS):
        raise BadPreference("muted", "Choose from the list.")
    wanted = Preferences(
        mail, _hour("daily_hour", daily_hour), _hour("quiet_from_hour", quiet_from_hour),
        _hour("quiet_until_hour", quiet_until_hour), tuple(kind for kind in KINDS if kind in muted),
    )
    await _store(reader.user_id, wanted, actor=reader)


def _hour(field: str, text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) < 24:
        return int(text)
    raise BadPreference(field, "Choose an hour from 0 to 23.")


def unsubscribe_url(user_id: UUID) -> str:
    """Who holds this link may end the mail and nothing else: the id in it is sealed with our keys."""
    return f"{get_settings().base_url}{PATH}?token={quote(encrypt(str(user_id), context=CONTEXT))}"


async def unsubscribe(token: str) -> None:
    """Raises BadLink. Once more changes nothing."""
    user_id = reader_of(token)
    before = await read(user_id)
    await _store(
        user_id, Preferences("off", before.daily_hour, before.quiet_from_hour, before.quiet_until_hour, before.muted),
        actor=None,
    )


def reader_of(token: str) -> UUID:
    """Raises BadLink."""
    try:
        return UUID(decrypt(token, context=CONTEXT))
    except (DecryptionError, ValueError):
        raise BadLink from None


async def _store(user_id: UUID, wanted: Preferences, *, actor: Reader | None) -> None:
    """What waits for mail that is not wanted any more is not sent later either."""
    before = await read(user_id)
    if wanted == before:
        return
    async with database.transaction():
        if not await database.fetchval("select exists (select from users where id = $1)", user_id):
            raise BadLink
        await database.execute(
            f"""insert into notification_preferences (user_id, {COLUMNS}) values ($1, $2, $3, $4, $5, $6::jsonb)
                on conflict (user_id) do update set mail = excluded.mail, daily_hour = excluded.daily_hour,
                    quiet_from_hour = excluded.quiet_from_hour, quiet_until_hour = excluded.quiet_until_hour,
                    muted = excluded.muted""",  # noqa: S608
            user_id, wanted.mail, wanted.daily_hour, wanted.quiet_from_hour, wanted.quiet_until_hour,
            json.dumps(wanted.muted),
        )
        await notices.suppress(user_id, all_of_them=wanted.mail == "off", kinds=wanted.muted)
        await audit.record(
            "notifications.preferences_saved", actor=actor, actor_label="link in a mail", subject_type="user",
            subject_id=user_id, before=_facts(before), after=_facts(wanted),
        )


def _facts(preferences: Preferences) -> dict[str, object]:
    return {name: getattr(preferences, name) for name in Preferences.__dataclass_fields__}
