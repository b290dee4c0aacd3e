"""The ledger of runs: claiming with a lease and a fence on the database's clock, finishing, failing, rescuing."""

from dataclasses import dataclass
from uuid import UUID

from app import database

LEASE_SECONDS = 8


class LeaseLost(Exception):
    """Somebody else has the run now: whatever this process still wanted to write must not be written."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do one run's work. `fence` grows with each claim, so an older holder can never write again."""

    run_id: UUID
    fence: int


async def keep(claim: Claim) -> None:
    """Proves inside the caller's transaction that the claim still holds, and renews its lease. Raises LeaseLost."""
    kept = await database.fetchval(
        """update job_runs set lease_until = clock_timestamp() + make_interval(secs => $3)
           where id = $1 and fence = $2 and state = 'running' returning id""",
        claim.run_id, claim.fence, LEASE_SECONDS,
    )
    if kept is None:
        raise LeaseLost(str(claim.run_id))
