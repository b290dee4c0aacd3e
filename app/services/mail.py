"""Mail by SMTP_URL; without it a file per mail that only the operator can read. Nothing of it is ever logged."""

import asyncio
import email.policy
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app.settings import Settings, get_settings

SMTP_TIMEOUT_SECONDS = 20
POLICY = email.policy.SMTP.clone(max_line_length=998)
"""A link in a header that is folded is no link any more."""
FOLDER_MODE = 0o700
FILE_MODE = 0o600


async def send(to: str, subject: str, text: str, *, headers: Mapping[str, str] | None = None) -> None:
    settings = get_settings()
    message = _compose(to, subject, text, settings)
    for name, value in (headers or {}).items():
        message[name] = value
    if settings.smtp_url:
        await _send_by_smtp(message, settings.smtp_url)
    else:
        await asyncio.to_thread(_keep, message, settings.var_dir / "mail")


def _compose(to: str, subject: str, text: str, settings: Settings) -> EmailMessage:
    host = urlsplit(settings.base_url).hostname or "localhost"
    message = EmailMessage(policy=POLICY)
    message["From"] = f"Sideline <no-reply@{host}>"
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=host)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


async def _send_by_smtp(message: EmailMessage, smtp_url: str) -> None:
    """smtps:// is encrypted from the start; smtp:// becomes so where the server offers it."""
    address = urlsplit(smtp_url)
    await aiosmtplib.send(
        bytes(message), sender=parseaddr(message["From"])[1], recipients=[message["To"]],
        hostname=address.hostname, port=address.port, use_tls=address.scheme == "smtps",
        username=unquote(address.username) if address.username else None,
        password=unquote(address.password) if address.password else None, timeout=SMTP_TIMEOUT_SECONDS,
    )


def _keep(message: EmailMessage, folder: Path) -> None:
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.eml"
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(bytes(message))
