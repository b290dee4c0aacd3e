"""Who is told of alarms: which admins by mail, and one webhook. The address and its secret are kept encrypted."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.integrations import webhook
from app.integrations.webhook import WebhookRefused
from app.security import audit
from app.security.encryption import decrypt, encrypt

URL_CONTEXT = "alarm_settings.webhook_url:1"
SECRET_CONTEXT = "alarm_settings.webhook_secret:1"  # noqa: S105


class TooSoon(Exception):
    """The last test is less than a minute old."""


class NoWebhook(Exception):
    """There is no address to send to."""


class BadWebhook(Exception):
    """The address may not be used, or whoever is there did not take the message; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    url: str
    secret: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


async def webhook_target() -> Target | None:
    row = await database.fetchrow("select webhook_url, webhook_secret from alarm_settings where webhook_url <> ''")
    if row is None:
        return None
    return Target(
        decrypt(row["webhook_url"], context=URL_CONTEXT), decrypt(row["webhook_secret"], context=SECRET_CONTEXT)
    )


async def save_webhook(reader: Reader, url: str) -> str:
    """The new secret, to be shown once. Raises BadWebhook."""
    try:
        host = await webhook.check(url)
    except WebhookRefused as error:
        raise BadWebhook(str(error)) from None
    secret = secrets.token_urlsafe(32)
    await _store(
        reader, "alarms.webhook_set", {"host": host},
        webhook_url=encrypt(url, context=URL_CONTEXT), webhook_secret=encrypt(secret, context=SECRET_CONTEXT),
    )
    return secret


async def remove_webhook(reader: Reader) -> None:
    await _store(reader, "alarms.webhook_removed", {}, webhook_url="", webhook_secret="")


async def choose_mailed(reader: Reader, user_ids: Sequence[UUID]) -> None:
    """These admins get mail about alarms, the others do not."""
    rows = await database.fetch("select id from users where role = 'admin' and id <> all($1::uuid[])", list(user_ids))
    unmailed = sorted(str(row["id"]) for row in rows)
    await _store(reader, "alarms.mail_chosen", {"without_mail": unmailed}, unmailed=unmailed)


async def begin_test(reader: Reader) -> Target:
    """Once a minute, whoever asks. Raises TooSoon or NoWebhook."""
    target = await webhook_target()
    if target is None:
        raise NoWebhook
    async with database.transaction():
        if not await database.execute(
            """update alarm_settings set tested_at = clock_timestamp()
               where tested_at is null or tested_at < clock_timestamp() - interval '1 minute'"""
        ):
            raise TooSoon
        await audit.record(
            "alarms.webhook_tested", actor=reader, subject_type="alarm_settings", after={"host": target.host}
        )
    return target


async def _store(reader: Reader, action: str, after: dict[str, Any], **columns: Any) -> None:
    names = list(columns)
    sets = ", ".join(f"{name} = excluded.{name}" for name in names)
    places = ", ".join(f"${number}" for number in range(2, len(names) + 2))
    async with database.transaction():
        await database.execute(
            f"""insert into alarm_settings (id, changed_by, {", ".join(names)}) values (1, $1, {places})
                on conflict (id) do update set {sets}, changed_by = excluded.changed_by, changed_at = now()""",  # noqa: S608
            reader.user_id, *columns.values(),
        )
        await audit.record(action, actor=reader, subject_type="alarm_settings", after=after)
