"""The standings as they were at a moment: what had been solved and stored by then, whatever came in later.

Solves keep both times, when they were solved and when they were stored, so a later import changes no answer about the
past. Whoever was added after the moment is not there yet.
"""

from datetime import datetime

from app.domain.leaderboard import View
from app.queries.keyset import Arguments, Key

CHANGE_SINCE = Key("s.change")
_ORDER = "coalesce(v.points, 0) desc, coalesce(v.challenges, 0) desc, v.last_solved_at nulls last"


def table(view: View, moment: datetime, arguments: Arguments) -> str:
    """`frozen`: the columns of `standings` that a page needs, with today's rank and the points gained since."""
    at = arguments.add(moment)
    scope = ""
    now, join_now = "s.rank as rank_now, s.points", ""
    if view.is_scoped:
        source, category = arguments.add(view.source), arguments.add(view.category)
        scope = f"and ({source} = '' or source = {source})"
        scope += f" and ({category} = '' or coalesce(nullif(category, ''), 'Other') = {category})"
        now = "k.rank as rank_now, coalesce(k.points, 0)"
        join_now = f"""left join standing_scopes k
        on k.competitor_id = s.competitor_id and k.source = {source} and k.category = {category}"""
    return f"""frozen as materialized (
    select s.organization_id, s.competitor_id, s.coach_id, s.team_id, s.division, s.name_key, s.team_key, s.words,
        {now} - coalesce(v.points, 0) as change, coalesce(v.points, 0) as points,
        coalesce(v.challenges, 0) as challenges, coalesce(v.last_solved_at, '-infinity') as last_active_at,
        rank() over (order by {_ORDER})::int as rank,
        rank() over (partition by s.division order by {_ORDER})::int as division_rank
    from standings s
    join competitors c on c.id = s.competitor_id and c.created_at <= {at}
    left join (
        select competitor_id, sum(challenge_points)::int as points, count(*)::int as challenges,
            max(solved_at) as last_solved_at
        from game_platform_challenge_solves where solved_at <= {at} and ingested_at <= {at} {scope} group by 1
    ) v on v.competitor_id = s.competitor_id
    {join_now}
    where s.organization_id = $1
), """  # noqa: S608


COLUMNS = {
    "competitor_id": "s.competitor_id", "division": "s.division", "spark": "'{}'::text",
    "last_active_at": "nullif(s.last_active_at, '-infinity')", "rank": "s.rank", "division_rank": "s.division_rank",
    "points": "s.points", "challenges": "s.challenges", "change": "s.change", "rank_now": "s.rank_now",
}
