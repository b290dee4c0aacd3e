"""Signing in: a password or a set-password link, then the second factor where there is one, then a new session."""

from dataclasses import dataclass
from uuid import UUID

from app.domain.emails import canonical_email
from app.security import sessions, throttling
from app.security.sessions import SessionInUse
from app.services import accounts, second_factor


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a sign-in comes from, and the session that the browser had before."""

    address: str
    user_agent: str
    earlier_token: str | None


@dataclass(frozen=True, slots=True)
class SignedIn:
    token: str
    waits_for_second_factor: bool


async def with_password(email: str, password: str, browser: Browser) -> SignedIn | None:
    """None for a wrong e-mail or password. Raises throttling.TooManyAttempts."""
    account_email = canonical_email(email)
    attempt = await throttling.admit(
        throttling.SIGN_IN, account=account_email, address=browser.address,
        device=await sessions.known_device(browser.earlier_token, account_email),
    )
    account = await accounts.check_password(account_email, password)
    if account is None:
        return None
    await throttling.succeeded(attempt)
    return await _open(account.user_id, browser, waits=account.has_second_factor)


async def with_link(token: str, password: str, browser: Browser) -> SignedIn:
    """Sets the password and signs in with it. Raises accounts.LinkUnusable or passwords.WeakPassword."""
    account = await accounts.set_password(token, password, address=browser.address)
    return await _open(account.user_id, browser, waits=account.has_second_factor)


async def with_code(session: SessionInUse, code: str, browser: Browser) -> SignedIn | None:
    """The second step, with the session of the first; the new one gets another token. None for a wrong code."""
    if not await second_factor.check_code(session.user_id, code, address=browser.address):
        return None
    return await _open(session.user_id, browser, waits=False)


async def _open(user_id: UUID, browser: Browser, *, waits: bool) -> SignedIn:
    token = await sessions.sign_in(
        user_id, earlier_token=browser.earlier_token, address=browser.address, user_agent=browser.user_agent,
        second_factor_passed=not waits,
    )
    return SignedIn(token, waits_for_second_factor=waits)
