"""When an organization's season rests."""

from piccolo.columns import Date
from piccolo.columns.defaults.date import DateNow
from piccolo.constraints import Check
from piccolo.table import Table

from app.tables.accounts import Organization
from app.tables.columns import belongs_to, text, uuid_key


class CalendarBreak(Table, tablename="calendar_breaks"):
    """Holidays and the like: nobody is expected to solve anything from its first to its last day."""

    id = uuid_key()
    organization_id = belongs_to(Organization)
    first_day = Date(null=False, default=DateNow())
    last_day = Date(null=False, default=DateNow())
    name = text()

    calendar_breaks_days_check = Check("first_day <= last_day")
