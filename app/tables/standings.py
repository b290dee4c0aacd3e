"""The leaderboard's read model: ranks, gains and sort keys, made ready whenever scores or rosters changed.

Kept so that a page costs the same at a thousand and at a hundred thousand competitors: every sort and every
single filter is a walk along an index. `services/standings.py` is the only writer.
"""

from piccolo.columns import UUID, Array, BigInt, Boolean, Date, Integer, SmallInt, Text, Timestamptz, Varchar
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Unique
from piccolo.table import Table

from app.tables.accounts import Organization, User
from app.tables.columns import belongs_to, may_belong_to, now, number_key, when
from app.tables.rosters import Competitor, Team


class Standing(Table, tablename="standings"):
    """One competitor, everything counted. `last_active_at` is -infinity for never, an empty `spark` is a silent month,
    and whoever has no team has a `team_key` after all others.

    The hashes tell whether the names behind keys and search words, or the stored solves, have changed since.
    """

    competitor_id = belongs_to(Competitor, primary_key=True)
    organization_id = belongs_to(Organization)
    coach_id = may_belong_to(User)
    team_id = may_belong_to(Team)
    division = Varchar(null=False, default="")
    name_key = Text(null=False, default="")
    team_key = Text(null=False, default="")
    names_hash = BigInt(null=False, default=0)
    solves_hash = BigInt(null=False, default=0)
    points = Integer(null=False, default=0)
    challenges = Integer(null=False, default=0)
    last_solved_at = when()
    last_active_at = Timestamptz(null=False, default=TimestamptzNow())
    rank = Integer(null=False, default=0)
    division_rank = Integer(null=False, default=0)
    gain_7 = Integer(null=False, default=0)
    gain_14 = Integer(null=False, default=0)
    gain_30 = Integer(null=False, default=0)
    gain_90 = Integer(null=False, default=0)
    gain_year = Integer(null=False, default=0)
    rank_7 = Integer(null=False, default=0)
    rank_14 = Integer(null=False, default=0)
    rank_30 = Integer(null=False, default=0)
    rank_90 = Integer(null=False, default=0)
    rank_year = Integer(null=False, default=0)
    spark = Array(base_column=SmallInt(), null=False, default=list)


class StandingScope(Table, tablename="standing_scopes"):
    """One competitor's score within a category, a source or both ('' = all); only where it is more than nothing."""

    id = number_key()
    competitor_id = belongs_to(Competitor)
    organization_id = UUID(null=False, default=None)
    source = Varchar(null=False, default="")
    category = Text(null=False, default="")
    division = Varchar(null=False, default="")
    points = Integer(null=False, default=0)
    challenges = Integer(null=False, default=0)
    last_solved_at = when()
    rank = Integer(null=False, default=0)
    division_rank = Integer(null=False, default=0)

    standing_scopes_competitor_key = Unique(["competitor_id", "source", "category"])


class StandingHistory(Table, tablename="standing_histories"):
    """One competitor's solves by day, added up, so that any day's score is one look into an array.

    `days` are numbered from 2000-01-01 in the organization's zone; the others say how it stood when that day ended.
    """

    competitor_id = belongs_to(Competitor, primary_key=True)
    days = Array(base_column=Integer(), null=False, default=list)
    points = Array(base_column=Integer(), null=False, default=list)
    challenges = Array(base_column=Integer(), null=False, default=list)
    last_solved_at = Array(base_column=Timestamptz(), null=False, default=list)


class StandingVersion(Table, tablename="standing_versions"):
    """One row per organization: what a polling page compares, and whether the standings are behind the scores.

    `refreshing_since` says when a process began to recompute them; if it died, that is a reason to do it again.
    """

    organization_id = belongs_to(Organization, primary_key=True)
    version = BigInt(null=False, default=0)
    is_stale = Boolean(null=False, default=True)
    computed_on = Date(null=True, default=None)
    computed_at = now()
    refreshing_since = when()
