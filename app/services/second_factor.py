"""The second factor: six digits from an app (TOTP), or one of ten recovery codes that each work once."""

import base64
import hmac
import secrets
import time
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from app import database
from app.domain.readers import Reader
from app.domain.tokens import hash_token
from app.security import audit, throttling
from app.security.encryption import decrypt, encrypt

ISSUER = "Sideline"
SECRET_BYTES = 20
STEP_SECONDS = 30
DIGITS = 6
RECOVERY_CODES = 10
RECOVERY_CODE_BYTES = 10
MAX_CODE_CHARACTERS = 40


class SecondFactorError(Exception):
    """The text says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs: a QR code's content, and the key for typing it in."""

    uri: str
    key: str


async def begin(reader: Reader) -> None:
    """Makes a new secret that counts only once a code of it was typed in."""
    secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
    async with database.transaction():
        begun = await database.execute(
            "update users set totp_secret = $2, totp_last_step = 0 where id = $1 and totp_confirmed_at is null",
            reader.user_id, encrypt(secret, context=_context(reader.user_id)),
        )
        if not begun:
            raise SecondFactorError("A second factor is already set up. Turn it off before setting up another.")
        await audit.record("second_factor.begun", actor=reader, subject_type="user", subject_id=reader.user_id)


async def enrolment(reader: Reader) -> Enrolment | None:
    """None where nothing was begun, and again once it is confirmed: the secret is not shown twice."""
    row = await database.fetchrow(
        """select totp_secret, coalesce(email, display_name) as name from users
           where id = $1 and totp_secret is not null and totp_confirmed_at is null""",
        reader.user_id,
    )
    if row is None:
        return None
    secret = decrypt(row["totp_secret"], context=_context(reader.user_id))
    key = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return Enrolment(_totp(secret).get_provisioning_uri(row["name"], ISSUER), key)


async def confirm(reader: Reader, code: str, *, address: str) -> tuple[str, ...] | None:
    """The recovery codes, which are shown this once; None for a wrong code. Ends all other sessions."""
    attempt = await throttling.admit(throttling.SECOND_FACTOR, account=str(reader.user_id), address=address)
    row = await database.fetchrow(
        "select totp_secret from users where id = $1 and totp_secret is not null and totp_confirmed_at is null",
        reader.user_id,
    )
    step = _matching_step(decrypt(row["totp_secret"], context=_context(reader.user_id)), code) if row else None
    if row is None or step is None:
        return None
    async with database.transaction():
        if not await _switch_on(reader, row["totp_secret"], step):
            return None
        codes = await _new_recovery_codes(reader.user_id)
        await audit.record("second_factor.turned_on", actor=reader, subject_type="user", subject_id=reader.user_id)
    await throttling.succeeded(attempt)
    return codes


async def check_code(user_id: UUID, code: str, *, address: str) -> bool:
    """A code of the app, each step once, or an unused recovery code. Raises throttling.TooManyAttempts."""
    attempt = await throttling.admit(throttling.SECOND_FACTOR, account=str(user_id), address=address)
    typed = "".join(character for character in code[:MAX_CODE_CHARACTERS] if character.isalnum()).lower()
    is_right = await _use_totp(user_id, typed) if len(typed) == DIGITS else await _use_recovery_code(user_id, typed)
    if is_right:
        await throttling.succeeded(attempt)
    return is_right


async def turn_off(reader: Reader) -> None:
    """The caller has asked for the password."""
    async with database.transaction():
        await database.execute(
            "update users set totp_secret = null, totp_confirmed_at = null, totp_last_step = 0 where id = $1",
            reader.user_id,
        )
        await database.execute("delete from recovery_codes where user_id = $1", reader.user_id)
        await audit.record("second_factor.turned_off", actor=reader, subject_type="user", subject_id=reader.user_id)


async def require_of_admins(organization_id: UUID, required: bool, *, actor: Reader) -> None:
    """Makes every admin set one up before anything else. Only who has one may ask it of the others."""
    if not actor.is_admin or organization_id not in actor.organization_ids:
        raise SecondFactorError("There is no such organization, or you are not its admin.")
    async with database.transaction():
        await change_requirement(organization_id, required, actor=actor)


async def change_requirement(organization_id: UUID, required: bool, *, actor: Reader) -> None:
    """In the transaction of an admin's caller. Raises SecondFactorError; nothing happens where it is so already."""
    changed = await database.execute(
        "update organizations set second_factor_required = $2 where id = $1 and second_factor_required <> $2",
        organization_id, required,
    )
    if not changed:
        return
    if required and not await _has_second_factor(actor.user_id):
        raise SecondFactorError("Set up your own second factor before you require it of others.")
    await audit.record(
        "organization.second_factor_required", actor=actor, subject_type="organization",
        subject_id=organization_id, before={"required": not required}, after={"required": required},
        organization_id=organization_id,
    )


def _context(user_id: UUID) -> str:
    return f"users.totp_secret:{user_id}"


def _totp(secret: str) -> TOTP:
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 (what every app speaks)


def _matching_step(secret: str, code: str) -> int | None:
    """The time step whose code this is; a clock may be one step off."""
    typed, totp, now = code.replace(" ", "").encode("utf-8", "replace"), _totp(secret), int(time.time()) // STEP_SECONDS
    for step in (now, now - 1, now + 1):
        if hmac.compare_digest(totp.generate(step * STEP_SECONDS), typed):
            return step
    return None


async def _use_totp(user_id: UUID, code: str) -> bool:
    row = await database.fetchrow(
        "select totp_secret from users where id = $1 and totp_confirmed_at is not null", user_id
    )
    step = _matching_step(decrypt(row["totp_secret"], context=_context(user_id)), code) if row else None
    if step is None:
        return False
    used = await database.execute(
        "update users set totp_last_step = $2 where id = $1 and totp_last_step < $2", user_id, step
    )
    return bool(used)


async def _use_recovery_code(user_id: UUID, code: str) -> bool:
    async with database.transaction():
        used = await database.execute(
            "update recovery_codes set used_at = now() where user_id = $1 and code_hash = $2 and used_at is null",
            user_id, hash_token(code),
        )
        if used:
            await audit.record(
                "second_factor.recovery_code_used", actor=None, actor_label="sign-in", subject_type="user",
                subject_id=user_id,
            )
    return bool(used)


async def _switch_on(reader: Reader, stored_secret: str, step: int) -> bool:
    switched = await database.execute(
        """update users set totp_confirmed_at = now(), totp_last_step = $3
           where id = $1 and totp_secret = $2 and totp_confirmed_at is null""",
        reader.user_id, stored_secret, step,
    )
    if switched:
        await database.execute(
            "delete from sessions where user_id = $1 and id <> $2", reader.user_id, reader.session_id
        )
    return bool(switched)


async def _new_recovery_codes(user_id: UUID) -> tuple[str, ...]:
    codes = [base64.b32encode(secrets.token_bytes(RECOVERY_CODE_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    await database.execute("delete from recovery_codes where user_id = $1", user_id)
    await database.execute(
        """insert into recovery_codes (user_id, code_hash)
           select $1, code_hash from unnest($2::text[]) as code_hash""",
        user_id, [hash_token(code) for code in codes],
    )
    return tuple("-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in codes)


async def _has_second_factor(user_id: UUID) -> bool:
    found = await database.fetchval(
        "select 1 from users where id = $1 and totp_confirmed_at is not null for share", user_id
    )
    return found is not None
