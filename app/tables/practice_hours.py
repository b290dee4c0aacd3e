"""How long a Flash CTF counts as practice where an admin said so."""

from piccolo.columns import Integer
from piccolo.constraints import Check
from piccolo.table import Table

from app.tables.accounts import Organization
from app.tables.columns import belongs_to, now, text, uuid_key


class PracticeEventWindow(Table, tablename="practice_event_windows"):
    """Every Flash CTF of that name in this organization. `minutes` replaces the two hours of the others."""

    id = uuid_key()
    organization_id = belongs_to(Organization)
    name = text()
    minutes = Integer(null=False, default=120)
    updated_at = now()

    practice_event_windows_minutes_check = Check("minutes between 1 and 10080")
