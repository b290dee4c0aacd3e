"""Guessing is slow, and nobody can lock somebody else out: failures count per account and where they came from.

An attempt is a row before it is checked, so a hundred guesses at once count like a hundred in a row, for every process.
A browser that was signed in as this person before is counted apart from its address, and so is never hindered by
strangers behind the same one.
"""

import hashlib
import ipaddress
import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from litestar.exceptions import TooManyRequestsException

from app import database


@dataclass(frozen=True, slots=True)
class Rule:
    """`free` failures of one account cost no waiting; each further one doubles it, up to the window itself."""

    kind: str
    window_seconds: int
    per_account: int
    per_address: int | None = None
    free: int = 5
    counts_every_address: bool = False

    def wait_seconds(self, account_ages: Sequence[float], address_ages: Sequence[float]) -> float:
        """How long to wait, given the ages in seconds of earlier failures, the newest first."""
        waits = [self._until_below(self.per_account, account_ages), self._growing_delay(account_ages)]
        if self.per_address is not None:
            waits.append(self._until_below(self.per_address, address_ages))
        return max(waits)

    def _until_below(self, limit: int, ages: Sequence[float]) -> float:
        return self.window_seconds - ages[limit - 1] if len(ages) >= limit else 0.0

    def _growing_delay(self, ages: Sequence[float]) -> float:
        excess = len(ages) - self.free
        return max(0.0, min(2.0**excess, self.window_seconds) - ages[0]) if excess > 0 else 0.0


SIGN_IN = Rule("password", window_seconds=15 * 60, per_account=10, per_address=100)
FORGOT_PASSWORD = Rule("forgot_password", window_seconds=15 * 60, per_account=5, per_address=30)
SECOND_FACTOR = Rule("second_factor", window_seconds=10 * 60, per_account=5, counts_every_address=True)
EXPORT = Rule("export", window_seconds=60, per_account=20, free=20)


def exports_in_an_hour(most: int) -> Rule:
    return Rule("exports_in_an_hour", window_seconds=3600, per_account=most, free=most)


class TooManyAttempts(TooManyRequestsException):
    """Answered with 429 and the seconds to wait."""

    def __init__(self, wait_seconds: float) -> None:
        seconds = max(1, math.ceil(wait_seconds))
        super().__init__(
            detail=f"Too many attempts. Try again in {_in_words(seconds)}.", headers={"Retry-After": str(seconds)}
        )


async def admit(rule: Rule, *, account: str, address: str, device: UUID | None = None) -> int:
    """The attempt's number, for `succeeded`. Raises TooManyAttempts. `account`: an e-mail or a user's id."""
    subject, source = _subject(account), f"device:{device}" if device else _network(address)
    attempt: int = await database.fetchval(
        "insert into sign_in_attempts (at, subject, address, kind) values (clock_timestamp(), $1, $2, $3) returning id",
        subject, source, rule.kind,
    )
    wait = rule.wait_seconds(*await _failures(rule, subject, source, attempt))
    if wait > 0:
        await database.execute("delete from sign_in_attempts where id = $1", attempt)
        raise TooManyAttempts(wait)
    return attempt


async def succeeded(attempt: int) -> None:
    await database.execute("update sign_in_attempts set succeeded = true where id = $1", attempt)


# Success ends the count of one account at one place. It does not end that of the address: else one's own account would
# pay for guesses at others. An address from where this account came before is spared the address's count.
_FAILURES = """
with recent as (
    select a.at, a.subject = $2 and ($5 or a.address = $3) as is_account, a.address = $3 as is_address
    from sign_in_attempts a
    where a.kind = $1 and (a.subject = $2 or a.address = $3) and not a.succeeded and a.id <> $6
        and a.at > clock_timestamp() - make_interval(secs => $4)
), success as (
    select max(at) as at from sign_in_attempts
    where kind = $1 and subject = $2 and ($5 or address = $3) and succeeded
)
select
    array(select extract(epoch from clock_timestamp() - r.at)::float8 from recent r, success s
          where is_account and (s.at is null or r.at > s.at) order by r.at desc) as account_ages,
    array(select extract(epoch from clock_timestamp() - r.at)::float8 from recent r
          where is_address and (select at from success) is null order by r.at desc) as address_ages
"""


async def _failures(rule: Rule, subject: str, source: str, attempt: int) -> tuple[list[float], list[float]]:
    row = await database.fetchrow(
        _FAILURES, rule.kind, subject, source, rule.window_seconds, rule.counts_every_address, attempt
    )
    assert row
    return row["account_ages"], row["address_ages"]


def _subject(account: str) -> str:
    return hashlib.sha256(account.lower().encode("utf-8", "surrogatepass")).hexdigest()


def _network(address: str) -> str:
    """One household has one IPv4 address, or 2^64 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _in_words(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} seconds" if seconds > 1 else "1 second"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} minutes" if minutes > 1 else "1 minute"
