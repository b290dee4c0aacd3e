"""How the database finds practice sessions: of a student's on-demand solves in one category, each that comes more than
the gap after the one before begins a session. One that begins outside of the period is none of the period's."""

from app.domain import practice_hours as rule

SOURCE = """competitors c left join team_memberships m on m.competitor_id = c.id left join teams t on t.id = m.team_id
    left join users u on u.id = c.coach_id"""
GAP = f"interval '{rule.GAP_MINUTES} minutes'"

# One walk along the index of each person's solves by category: every solve knows the time since the one before, and
# the first of its session. What is solved more than a gap before the period cannot be part of a session that begins
# in it.
SOLVES = f"""
with people as materialized (select c.id, c.organization_id from {SOURCE} where {{people}}),
practice as (
    select p.id as competitor_id, solved.* from people p cross join lateral (
        select *, max(solved_at) filter (where goes_on is not true)
            over (partition by category order by solved_at) as started_at
        from (
            select s.category, s.solved_at, s.solved_at - lag(s.solved_at) over solving as gap,
                s.solved_at - lag(s.solved_at) over solving <= {GAP} as goes_on,
                lead(s.solved_at) over solving - s.solved_at <= {GAP} as is_followed
            from game_platform_challenge_solves s
            where s.competitor_id = p.id and s.source = 'odl'
                and s.solved_at >= coalesce({{starts_at}}::timestamptz - {GAP}, '-infinity')
            window solving as (partition by s.category order by s.solved_at)
        ) solves
    ) solved
),
flash_ctfs as (
    select e.competitor_id, min(e.name) as name, min(e.started_at) as started_at, max(e.challenges_solved) as solves,
        coalesce(min(w.minutes), {rule.EVENT_MINUTES}) as minutes
    from people p join game_platform_flash_ctf_events e on e.competitor_id = p.id
        left join practice_event_windows w
            on w.organization_id = p.organization_id and lower(w.name) = lower(trim(e.name))
    where e.challenges_solved > 0 group by e.competitor_id, e.event_id
)
"""  # noqa: S608

IN_PERIOD = """started_at >= coalesce({starts_at}::timestamptz, '-infinity')
    and started_at < coalesce({ends_at}::timestamptz, 'infinity')"""

# From the first solve to the last, and the tail; a lone one has a length of its own.
SECONDS = f"""(floor(extract(epoch from coalesce(sum(gap) filter (where goes_on), '0')))::bigint
    + {rule.TAIL_MINUTES * 60} * count(*) filter (where goes_on and is_followed is not true)
    + {rule.LONE_MINUTES * 60} * count(*) filter (where goes_on is not true and is_followed is not true))"""

# Flash CTFs are of no category.
TALLIES = f"""
{{solves}}
select {{person}} category, count(*) filter (where goes_on is not true)::int as times, count(*)::int as solves,
    {SECONDS}::bigint as seconds
from practice where {{in_period}} group by {{person}} category
union all
select {{person}} null, count(*)::int, sum(solves)::int, sum(minutes * 60)::bigint
from flash_ctfs where {{in_period}} {{group}}
"""  # noqa: S608

SPANS = f"""
{{solves}}
select competitor_id, false as is_flash_ctf, category as title, started_at, max(solved_at) as ended_at,
    count(*)::int as solves, {SECONDS}::int as seconds
from practice where {{in_period}} group by competitor_id, category, started_at
union all
select competitor_id, true, name, started_at, started_at + make_interval(mins => minutes), solves, minutes * 60
from flash_ctfs where {{in_period}}
order by competitor_id, started_at, title
"""  # noqa: S608


def statement(sql: str, people: str, starts_at: str, ends_at: str, **parts: str) -> str:
    """`people` is a condition; the bounds are placeholders of moments that may be null."""
    solves = SOLVES.format(people=people, starts_at=starts_at)
    return sql.format(solves=solves, in_period=IN_PERIOD.format(starts_at=starts_at, ends_at=ends_at), **parts)
