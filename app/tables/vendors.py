"""Every call to a vendor, what a vendor is doing to us just now, and records that could not be read."""

from piccolo.columns import UUID, BigInt, Integer, Timestamptz, Varchar
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Unique
from piccolo.table import Table

from app.tables.columns import json_object, may_refer_to, now, number_key, text, when
from app.tables.rosters import Competitor


class VendorCall(Table, tablename="vendor_calls"):
    """One attempt at a vendor. It is also the limiter: `slot_at` is when this token's next call may leave."""

    id = number_key()
    vendor = Varchar(null=False)
    token_key = Varchar(length=16, null=False)
    kind = Varchar(null=False)
    run_id = UUID(null=True, default=None)
    slot_at = Timestamptz(null=False, default=TimestamptzNow())
    started_at = now()
    duration_ms = Integer(null=True, default=None)
    status = Integer(null=True, default=None)
    outcome = Varchar(null=True, default=None)
    bytes_received = BigInt(null=True, default=None)


class VendorBreaker(Table, tablename="vendor_breakers"):
    """Written only when a vendor fails or recovers: how often in a row, since when, and when to ask again."""

    vendor = Varchar(primary_key=True)
    consecutive_failures = Integer(null=False, default=0)
    failing_since = when()
    opened_at = when()
    retry_at = when()
    reason = text()
    message = text()


class Quarantine(Table, tablename="quarantine"):
    """A vendor record that could not be read, put aside with its reason so that it delays nobody else.

    `retry_at`: when it is asked for again by itself; null where it comes with the next answer anyway.
    """

    id = number_key()
    vendor = Varchar(null=False)
    kind = Varchar(null=False)
    subject_id = text()
    competitor_id = may_refer_to(Competitor)
    record_key = Varchar(length=64, null=False)
    reason = text()
    raw_payload = json_object()
    seen_count = Integer(null=False, default=1)
    first_seen_at = now()
    last_seen_at = now()
    retry_at = when()
    resolved_at = when()

    quarantine_record_key = Unique(["vendor", "kind", "subject_id", "record_key"])
