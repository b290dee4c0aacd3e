"""Large changes of a roster, each with what is needed to look at it first or to take it back: uploaded files, merged
duplicates, and the turn of a season."""

from piccolo.columns import JSONB, Bytea, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from app.tables.accounts import Organization, User
from app.tables.columns import belongs_to, json_object, may_refer_to, now, number_key, text, uuid_key, when
from app.tables.rosters import Competitor


class RosterUpload(Table, tablename="roster_uploads"):
    """A roster file that was looked at and may yet be imported. After the import only its counts stay."""

    id = uuid_key()
    user_id = belongs_to(User)
    coach_id = belongs_to(User)
    file_name = text()
    content = Bytea(null=True, default=None)
    counts = JSONB(null=True, default=None)
    created_at = now()
    imported_at = when()


class Merge(Table, tablename="merges"):
    """Two competitors who turned out to be one. `gone_id` is archived; `before` and `after` hold both rows and their
    places on teams around the merge, `moved` the keys of the rows that changed hands, by table."""

    id = uuid_key()
    organization_id = belongs_to(Organization)
    kept_id = belongs_to(Competitor)
    gone_id = belongs_to(Competitor)
    merged_by = may_refer_to(User)
    merged_at = now()
    before = json_object()
    after = json_object()
    moved = json_object()
    undone_by = may_refer_to(User)
    undone_at = when()


class DifferentPeople(Table, tablename="different_people"):
    """Two competitors of whom somebody said that they are not the same person. The smaller id comes first."""

    id = number_key()
    first_id = belongs_to(Competitor)
    second_id = belongs_to(Competitor)
    decided_by = may_refer_to(User)
    decided_at = now()

    different_people_pair_key = Unique(["first_id", "second_id"])


class SeasonChange(Table, tablename="season_changes"):
    """A coach's roster moved into the next school year, with the rows as they were and as they became."""

    id = uuid_key()
    organization_id = belongs_to(Organization)
    coach_id = belongs_to(User)
    ended_year = Varchar(length=9, null=False)
    changed_by = may_refer_to(User)
    changed_at = now()
    before = json_object()
    after = json_object()
    undone_by = may_refer_to(User)
    undone_at = when()
