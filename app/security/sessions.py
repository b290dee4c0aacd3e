"""Who is signed in: our own session table. The browser holds a random token, the table only its hash.

A token is made by us at sign-in and never taken over from the browser, so a cookie that an attacker planted is worth
nothing. Pages read a session with one query and write to it at most every five minutes.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from litestar.datastructures import Cookie
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from app import database
from app.domain.pauses import Pause, Scope
from app.domain.readers import Reader, Sight
from app.domain.tokens import hash_token, new_token
from app.security import audit
from app.security.connections import Connection
from app.settings import Settings

ABSOLUTE_TIMEOUT = timedelta(days=30)
IDLE_TIMEOUT = timedelta(days=14)
ADMIN_IDLE_TIMEOUT = timedelta(hours=12)
SECOND_FACTOR_TIMEOUT = timedelta(minutes=10)
LAST_SEEN_INTERVAL = timedelta(minutes=5)
UNREAD_COUNTED = 100
MAX_USER_AGENT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class SessionInUse:
    """`request.auth`: the session behind a request, also one that still waits for the second factor."""

    session_id: UUID
    user_id: UUID
    token_hash: str
    second_factor_passed: bool


def idle_timeout(reader: Reader) -> timedelta:
    return ADMIN_IDLE_TIMEOUT if reader.is_admin else IDLE_TIMEOUT


def session_cookie_name(settings: Settings) -> str:
    return "__Host-session" if settings.is_production else "session"


def session_cookie(token: str, settings: Settings) -> Cookie:
    return Cookie(
        key=session_cookie_name(settings), value=token, path="/", httponly=True, samesite="lax",
        secure=settings.is_production, max_age=int(ABSOLUTE_TIMEOUT.total_seconds()),
    )


def ended_cookie(settings: Settings) -> Cookie:
    return Cookie(
        key=session_cookie_name(settings), value="", path="/", httponly=True, samesite="lax",
        secure=settings.is_production, max_age=0,
    )


def session_token(connection: Connection) -> str | None:
    return connection.cookies.get(session_cookie_name(connection.app.state.settings)) or None


async def open_session(
    user_id: UUID, *, address: str, user_agent: str, second_factor_passed: bool = True
) -> str:
    """The new session's token. Without the second factor it lives for minutes and reads nothing."""
    token = new_token()
    await database.execute(
        """insert into sessions (token_hash, user_id, created_at, last_seen_at, expires_at, second_factor_passed,
               address, user_agent)
           values ($1, $2, now(), now(), now() + $3::interval, $4, $5, $6)""",
        hash_token(token), user_id, ABSOLUTE_TIMEOUT if second_factor_passed else SECOND_FACTOR_TIMEOUT,
        second_factor_passed, address, user_agent.replace("\0", "")[:MAX_USER_AGENT_CHARACTERS],
    )
    return token


async def sign_in(
    user_id: UUID, *, earlier_token: str | None, address: str, user_agent: str, second_factor_passed: bool = True
) -> str:
    """Opens a session in place of the one that the browser had before."""
    async with database.transaction():
        if earlier_token:
            await database.execute("delete from sessions where token_hash = $1", hash_token(earlier_token))
        token = await open_session(
            user_id, address=address, user_agent=user_agent, second_factor_passed=second_factor_passed
        )
        await audit.record(
            "session.opened" if second_factor_passed else "session.waits_for_second_factor", actor=None,
            actor_label="sign-in", subject_type="user", subject_id=user_id, address=address,
        )
    return token


async def sign_out(reader: Reader) -> None:
    await end_session(reader, reader.session_id)


async def end_session(reader: Reader, session_id: UUID) -> bool:
    """Ends one of the reader's own sessions; False where there is none of that id."""
    async with database.transaction():
        ended = await database.execute(
            "delete from sessions where id = $1 and user_id = $2", session_id, reader.user_id
        )
        if ended:
            await audit.record("session.ended", actor=reader, subject_type="session", subject_id=session_id)
    return bool(ended)


async def end_other_sessions(reader: Reader) -> int:
    async with database.transaction():
        ended = await database.execute(
            "delete from sessions where user_id = $1 and id <> $2", reader.user_id, reader.session_id
        )
        await audit.record(
            "session.others_ended", actor=reader, subject_type="user", subject_id=reader.user_id,
            after={"ended": ended},
        )
    return ended


async def present(reader: Reader, *, is_presenting: bool) -> None:
    """Switches this session between names and handles; for a projector, and gone with the session."""
    await database.execute("update sessions set is_presenting = $2 where id = $1", reader.session_id, is_presenting)


async def known_device(token: str | None, email: str) -> UUID | None:
    """The session, also a timed-out one, that this browser had as this person."""
    if not token:
        return None
    found: UUID | None = await database.fetchval(
        """select s.id from sessions s join users u on u.id = s.user_id
           where s.token_hash = $1 and lower(u.email) = $2 and s.second_factor_passed""",
        hash_token(token), email,
    )
    return found


# Everything that a page needs to know about its reader. A disabled person's sessions are nobody's. An admin is at home
# in every organization: their own come first, the others after them. Coaches need not know of single kinds of work.
_READ = """
select s.id as session_id, s.second_factor_passed, s.is_presenting,
    s.last_seen_at < now() - $4::interval as is_seen_late,
    u.id as user_id, u.role, u.theme, u.totp_confirmed_at is not null as has_second_factor,
    coalesce(nullif(u.display_name, ''), nullif(trim(u.first_name || ' ' || u.last_name), ''), u.email, '') as name,
    coalesce(u.time_zone, o.time_zones[1], 'UTC') as time_zone,
    coalesce(o.ids, '{}') as organization_ids, coalesce(o.second_factor_required, false) as second_factor_required,
    (select count(*)::int from (
        select from notifications n where n.user_id = u.id and n.read_at is null limit $5) waiting) as unread,
    (select jsonb_agg(jsonb_build_object(
        'scope', p.scope, 'name', p.name, 'reason', p.reason, 'paused_at', p.paused_at, 'is_automatic', p.is_automatic,
        'paused_by', coalesce(nullif(by.display_name, ''), trim(by.first_name || ' ' || by.last_name), '')
        ) order by p.paused_at) from pauses p left join users by on by.id = p.paused_by
        where u.role = 'admin' or p.scope <> 'kind') as pauses,
    case when u.role = 'admin' then (select count(*)::int from alarms where resolved_at is null) else 0 end as alarms,
    array(select a.team_id from team_assistants a where a.user_id = u.id order by a.created_at) as assisted_team_ids
from sessions s
join users u on u.id = s.user_id
left join lateral (
    select array_agg(g.id order by m.created_at, g.created_at, g.id) as ids,
        array_agg(g.time_zone order by m.created_at, g.created_at, g.id) as time_zones,
        bool_or(g.second_factor_required) as second_factor_required
    from organizations g left join organization_members m on m.organization_id = g.id and m.user_id = u.id
    where m.id is not null or u.role = 'admin'
) o on true
where s.token_hash = $1 and s.expires_at > now() and u.disabled_at is null
    and s.last_seen_at > now() - case when u.role = 'admin' then $3::interval else $2::interval end
"""


async def read_session(token: str) -> tuple[SessionInUse | None, Reader | None]:
    """The session of a token, and its reader once the second factor is passed."""
    token_hash = hash_token(token)
    row = await database.fetchrow(
        _READ, token_hash, IDLE_TIMEOUT, ADMIN_IDLE_TIMEOUT, LAST_SEEN_INTERVAL, UNREAD_COUNTED
    )
    if row is None:
        return None, None
    session = SessionInUse(row["session_id"], row["user_id"], token_hash, row["second_factor_passed"])
    if not session.second_factor_passed:
        return session, None
    if row["is_seen_late"]:
        await _note_seen(session.session_id)
    return session, _reader(row)


async def _note_seen(session_id: UUID) -> None:
    await database.execute(
        "update sessions set last_seen_at = now() where id = $1 and last_seen_at < now() - $2::interval",
        session_id, LAST_SEEN_INTERVAL,
    )


def _reader(row: asyncpg.Record) -> Reader:
    is_admin = row["role"] == "admin"
    return Reader(
        user_id=row["user_id"],
        session_id=row["session_id"],
        role=row["role"],
        name=row["name"],
        time_zone=row["time_zone"],
        theme=row["theme"],
        organization_ids=tuple(row["organization_ids"]),
        sight=Sight(
            sees_everyone=is_admin, coach_id=row["user_id"], assisted_team_ids=tuple(row["assisted_team_ids"])
        ),
        needs_second_factor=is_admin and row["second_factor_required"] and not row["has_second_factor"],
        is_presenting=row["is_presenting"],
        unread=row["unread"],
        pauses=tuple(_pause(**each) for each in json.loads(row["pauses"] or "[]")),
        alarms=row["alarms"],
    )


def _pause(*, scope: str, paused_at: str, **rest: Any) -> Pause:
    return Pause(scope=Scope(scope), paused_at=datetime.fromisoformat(paused_at), **rest)


class AuthenticationMiddleware(AbstractAuthenticationMiddleware):
    """`request.user` is a Reader, or None for a stranger. Routes with opt `exclude_from_auth` do not ask."""

    async def authenticate_request(self, connection: Connection) -> AuthenticationResult:
        token = session_token(connection)
        session, reader = await read_session(token) if token else (None, None)
        return AuthenticationResult(user=reader, auth=session)
