"""Accounts: making one, proving a password, setting it through a link that works once, changing it."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg
import structlog
from email_validator import EmailNotValidError, validate_email

from app import database
from app.domain.emails import canonical_email
from app.domain.readers import Reader
from app.domain.tokens import hash_token, new_token
from app.security import audit, passwords, throttling
from app.services import mail, organizations
from app.settings import get_settings
from app.tables.accounts import Role

LINK_LIFETIME_HOURS = 24
MAX_LINKS_PER_HOUR = 5
MAX_NAME_CHARACTERS = 120

log = structlog.get_logger("app.accounts")


class AccountError(Exception):
    """The text says what is wrong and what to do."""


class WrongPassword(Exception):
    """The current password is not this one."""


class LinkUnusable(Exception):
    """Used, expired, replaced by a newer password, or never made."""


@dataclass(frozen=True, slots=True)
class CreatedUser:
    user_id: UUID
    set_password_link: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who has just proved who they are, but for the second factor where they have one."""

    user_id: UUID
    has_second_factor: bool


@dataclass(frozen=True, slots=True)
class LinkOwner:
    user_id: UUID
    email: str
    own_words: tuple[str, ...]


async def create_user(
    *, email: str, role: str, first_name: str = "", last_name: str = "", organization: str | None = None,
    organizer: bool = False, password: str | None = None, actor_label: str,
) -> CreatedUser:
    """Without a password the answer holds a link that sets it. Raises AccountError and changes nothing."""
    address, first, last = _checked_email(email), _checked_name(first_name), _checked_name(last_name)
    if role not in set(Role):
        raise AccountError(f"Role should be one of {', '.join(Role)}, not {role!r}.")
    if role == Role.COACH and not (first and last):
        raise AccountError("A coach needs a first and a last name: the platform must know them by name.")
    password_hash = await _checked_hash(password, (address, first, last)) if password is not None else None
    try:
        async with database.transaction():
            organization_id = await _organization_for(role, organization, organizer, actor_label)
            user_id = await _insert_user(address, role, first, last, password_hash)
            if organization_id:
                await organizations.add_member(organization_id, user_id, organizer=organizer)
            await audit.record(
                "user.created", actor=None, actor_label=actor_label, subject_type="user", subject_id=user_id,
                after={"role": role, "organizer": organizer}, organization_id=organization_id,
            )
            link = None if password_hash else await make_set_password_link(user_id)
    except organizations.OrganizationError as error:
        raise AccountError(str(error)) from None
    return CreatedUser(user_id, link)


async def check_password(email: str, password: str) -> Account | None:
    """Whose password it is; None, after the same work, for a wrong one, a stranger and a disabled account."""
    row = await database.fetchrow(
        """select id, password_hash, disabled_at is null as is_enabled, totp_confirmed_at is not null as second_factor
           from users where lower(email) = $1""",
        canonical_email(email),
    )
    stored: str | None = row["password_hash"] if row else None
    is_right = await passwords.verify(stored, password)
    if not is_right or stored is None or row is None or not row["is_enabled"]:
        return None
    if passwords.needs_rehash(stored):
        await _rehash(row["id"], stored, password)
    return Account(row["id"], row["second_factor"])


async def make_set_password_link(user_id: UUID) -> str:
    """A link that sets the password once within a day. Only its hash is kept, so it cannot be shown again."""
    token = new_token()
    await database.execute(
        """insert into one_time_links (token_hash, user_id, created_at, expires_at)
           values ($1, $2, now(), now() + make_interval(hours => $3))""",
        hash_token(token), user_id, LINK_LIFETIME_HOURS,
    )
    return f"{get_settings().base_url}/set-password/{token}"


async def find_link(token: str) -> LinkOwner | None:
    """Whose usable link it is. Looking at it, as mail scanners do, does not use it up."""
    row = await database.fetchrow(
        """select u.id, coalesce(u.email, '') as email, u.first_name, u.last_name, u.display_name
           from one_time_links l join users u on u.id = l.user_id
           where l.token_hash = $1 and l.used_at is null and l.expires_at > now() and u.disabled_at is null""",
        hash_token(token),
    )
    if row is None:
        return None
    return LinkOwner(row["id"], row["email"], (row["email"], row["first_name"], row["last_name"], row["display_name"]))


async def set_password(token: str, password: str, *, address: str) -> Account:
    """Uses the link up and ends every session. Raises LinkUnusable or WeakPassword; then the link stays as it was."""
    owner = await find_link(token)
    if owner is None:
        raise LinkUnusable
    passwords.check_strength(password, own_words=owner.own_words)
    password_hash = await passwords.hash_password(password)
    async with database.transaction():
        used = await database.fetchval(
            """update one_time_links set used_at = now()
               where token_hash = $1 and used_at is null and expires_at > now() returning user_id""",
            hash_token(token),
        )
        if used is None:
            raise LinkUnusable
        has_second_factor = await _store_password(owner.user_id, password_hash, keep_session=None)
        await audit.record(
            "password.set", actor=None, actor_label="set-password link", subject_type="user",
            subject_id=owner.user_id, address=address,
        )
    return Account(owner.user_id, has_second_factor)


async def change_password(reader: Reader, current: str, new: str) -> None:
    """Ends all other sessions. Raises WrongPassword, WeakPassword or throttling.TooManyAttempts."""
    row = await _require_password(reader, current)
    own_words = (row["email"] or "", row["first_name"], row["last_name"], row["display_name"])
    passwords.check_strength(new, own_words=own_words)
    password_hash = await passwords.hash_password(new)
    async with database.transaction():
        await _store_password(reader.user_id, password_hash, keep_session=reader.session_id)
        await audit.record("password.changed", actor=reader, subject_type="user", subject_id=reader.user_id)


async def require_password(reader: Reader, password: str) -> None:
    """For what a borrowed browser must not do. Raises WrongPassword or throttling.TooManyAttempts."""
    await _require_password(reader, password)


async def send_reset_link(email: str) -> None:
    """Runs after the answer was sent, so that neither its words nor its timing tell whether there is an account."""
    row = await database.fetchrow(
        """select u.id, u.email from users u where lower(u.email) = $1 and u.disabled_at is null
           and (select count(*) from one_time_links l
                where l.user_id = u.id and l.created_at > now() - interval '1 hour') < $2""",
        canonical_email(email), MAX_LINKS_PER_HOUR,
    )
    if row is None:
        return
    async with database.transaction():
        link = await make_set_password_link(row["id"])
        await audit.record(
            "password.reset_requested", actor=None, actor_label="forgotten password", subject_type="user",
            subject_id=row["id"],
        )
    await _mail_link(row["id"], row["email"], link)


async def _mail_link(user_id: UUID, email: str, link: str) -> None:
    try:
        await mail.send(
            email, "Set a new password for Sideline",
            f"Somebody, probably you, asked to set a new password for Sideline.\n\n{link}\n\n"
            f"The link works once, within {LINK_LIFETIME_HOURS} hours. If it was not you, do nothing.\n",
        )
    except Exception as error:
        log.error("mail not sent", user_id=str(user_id), error=type(error).__name__)


def _checked_email(typed: str) -> str:
    try:
        found = validate_email(canonical_email(typed), check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise AccountError(f"{typed!r} is not an e-mail address.") from None
    return canonical_email(found.normalized)


def _checked_name(typed: str) -> str:
    name = " ".join(typed.split())
    if len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        raise AccountError(f"A name has at most {MAX_NAME_CHARACTERS} printable characters.")
    return name


async def _checked_hash(password: str, own_words: tuple[str, ...]) -> str:
    try:
        passwords.check_strength(password, own_words=own_words)
    except passwords.WeakPassword as error:
        raise AccountError(str(error)) from None
    return await passwords.hash_password(password)


async def _organization_for(role: str, name: str | None, organizer: bool, actor_label: str) -> UUID | None:
    if name is not None:
        return await organizations.find_or_make(name, actor_label=actor_label)
    if role == Role.ADMIN and not organizer:
        return None
    return await organizations.the_only_one(actor_label=actor_label)


async def _insert_user(email: str, role: str, first_name: str, last_name: str, password_hash: str | None) -> UUID:
    user_id: UUID | None = await database.fetchval(
        """insert into users (email, role, first_name, last_name, display_name, password_hash)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (lower(email)) where email is not null do nothing returning id""",
        email, role, first_name, last_name, f"{first_name} {last_name}".strip(), password_hash,
    )
    if user_id is None:
        raise AccountError(f"There is already an account for {email}.")
    return user_id


async def _rehash(user_id: UUID, old_hash: str, password: str) -> None:
    """Parameters grew since this hash was made. A password changed meanwhile is left alone."""
    await database.execute(
        "update users set password_hash = $3 where id = $1 and password_hash = $2",
        user_id, old_hash, await passwords.hash_password(password),
    )


async def _require_password(reader: Reader, password: str) -> asyncpg.Record:
    attempt = await throttling.admit(
        throttling.SIGN_IN, account=str(reader.user_id), address="", device=reader.session_id
    )
    row = await database.fetchrow(
        "select password_hash, email, first_name, last_name, display_name from users where id = $1", reader.user_id
    )
    if row is None or not await passwords.verify(row["password_hash"], password):
        raise WrongPassword
    await throttling.succeeded(attempt)
    return row


async def _store_password(user_id: UUID, password_hash: str, *, keep_session: UUID | None) -> bool:
    """Ends the other sessions and unused links; answers whether the person has a second factor."""
    has_second_factor: bool = await database.fetchval(
        "update users set password_hash = $2 where id = $1 returning totp_confirmed_at is not null",
        user_id, password_hash,
    )
    await database.execute(
        "delete from sessions where user_id = $1 and id is distinct from $2", user_id, keep_session
    )
    await database.execute(
        "update one_time_links set used_at = now() where user_id = $1 and used_at is null", user_id
    )
    return has_second_factor
