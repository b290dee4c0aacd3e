"""The statements that recompute standings: whole organizations at once, writing only the rows that differ."""

from app.domain.windows import PRESETS, SPARK_DAYS

ADD_MISSING_VERSIONS = """
insert into standing_versions (organization_id)
select id from organizations o where not exists (select from standing_versions v where v.organization_id = o.id)
on conflict do nothing
"""

# Whoever recomputes holds this lock for the whole of the transaction; with the process it is gone.
LOCK = "pg_try_advisory_xact_lock(hashtextextended('standings ' || {}::uuid::text, 0))"

# Rows that a mark's transaction holds are left for the next refresh, and what another process recomputes to that one.
CLAIM = f"""
with due as (
    select * from (
        select v.organization_id, o.time_zone, o.school_year_starts_month,
            (now() at time zone o.time_zone)::date as today
        from standing_versions v join organizations o on o.id = v.organization_id
        where v.organization_id <> all($1::uuid[]) and case
            when v.is_stale then true
            when v.refreshing_since is null then v.computed_on is distinct from (now() at time zone o.time_zone)::date
            else v.refreshing_since < clock_timestamp() - make_interval(secs => $2) end
        order by v.computed_at, v.organization_id
        for no key update of v skip locked
    ) behind
    where {LOCK.format("behind.organization_id")} limit 1
)
update standing_versions v set is_stale = false, refreshing_since = clock_timestamp()
from due where v.organization_id = due.organization_id
returning due.*
"""  # noqa: S608

TAKE = f"select {LOCK.format('$1')}"

CHANGED_NAMES = """
with people as (
    select c.id, c.first_name, c.last_name, coalesce(c.metactf_username, '') as handle, coalesce(t.name, '') as team,
        hashtextextended(concat_ws(E'\\x1f', $2::int, c.first_name, c.last_name, coalesce(c.metactf_username, ''),
            coalesce(t.name, ''), c.game_platform_id is null), 0) as names_hash
    from competitors c
    left join team_memberships m on m.competitor_id = c.id
    left join teams t on t.id = m.team_id
    where c.organization_id = $1 and c.archived_at is null
)
select p.* from people p left join standings s on s.competitor_id = p.id
where s.names_hash is distinct from p.names_hash
"""


# Parameters of WRITE_STANDINGS: 1 organization, 2-6 the folded names as columns, 7-11 the starts of the windows,
# 12 the zone, 13 the sparkline's first day, 14 the moment it began.
_START = {name: f"${number}" for number, name in enumerate(PRESETS, 7)}

_WINDOW_SUMS = ",\n        ".join(
    f"""coalesce(sum(v.challenge_points) filter (where v.solved_at >= {start}), 0)::int as gain_{name},
        count(*) filter (where v.solved_at >= {start})::int as solves_{name},
        max(v.solved_at) filter (where v.solved_at < {start}) as last_before_{name}"""
    for name, start in _START.items()
)
_DAYS = ", ".join(f"least(coalesce(sum(points) filter (where day = {day}), 0), 32767)" for day in range(SPARK_DAYS))
_GAINS = ",\n        ".join(f"coalesce(w.gain_{name}, 0) as gain_{name}" for name in PRESETS)
_BEFORE = ",\n        ".join(
    f"""coalesce(w.solves_{name}, 0) as solves_{name},
        case when w.solves_{name} > 0 then w.last_before_{name}
             else greatest(p.last_solved_at, w.last_solved_at) end as last_before_{name}"""
    for name in PRESETS
)
_ORDER = "points desc, challenges desc, last_solved_at asc nulls last"
_RANKS = ",\n        ".join(
    f"""rank() over (order by points - gain_{name} desc, challenges - solves_{name} desc,
            last_before_{name} asc nulls last)::int as rank_{name}"""
    for name in PRESETS
)
_COLUMNS = (
    "organization_id", "coach_id", "team_id", "division", "name_key", "team_key", "names_hash", "solves_hash", "words",
    "points", "challenges", "last_solved_at", "last_active_at", "rank", "division_rank",
    *(f"gain_{name}" for name in PRESETS), *(f"rank_{name}" for name in PRESETS), "spark",
)


def _listed(columns: tuple[str, ...], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{column}" for column in columns)


def _assigned(columns: tuple[str, ...]) -> str:
    return ", ".join(f"{column} = excluded.{column}" for column in columns)


WRITE_STANDINGS = f"""
with folded as (
    select * from unnest($2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[])
        as f (competitor_id, names_hash, name_key, team_key, words)
), people as materialized (
    select c.id as competitor_id, c.organization_id, c.coach_id, m.team_id, coalesce(c.division, '') as division,
        coalesce(g.total_score, 0) as points, coalesce(g.challenges_completed, 0) as challenges, g.last_solved_at,
        y.last_remote_accessed_at
    from competitors c
    left join team_memberships m on m.competitor_id = c.id
    left join game_platform_stats g on g.competitor_id = c.id
    left join game_platform_sync_state y on y.competitor_id = c.id
    where c.organization_id = $1 and c.archived_at is null
), windowed as materialized (
    select v.competitor_id, max(v.solved_at) as last_solved_at,
        bit_xor(hash_record_extended((v.id, v.source, v.category, v.challenge_points, v.solved_at),
            hashtextextended($12, 0))) as solves_hash,
        {_WINDOW_SUMS}
    from game_platform_challenge_solves v join people p on p.competitor_id = v.competitor_id
    group by v.competitor_id
), daily as (
    select v.competitor_id, (v.solved_at at time zone $12)::date - $13::date as day,
        sum(v.challenge_points) as points
    from game_platform_challenge_solves v join people p on p.competitor_id = v.competitor_id
    where v.solved_at >= $14
    group by 1, 2
), sparks as (
    select competitor_id, array[{_DAYS}]::smallint[] as spark
    from daily group by competitor_id
), summed as (
    select p.competitor_id, p.organization_id, p.coach_id, p.team_id, p.division, p.points, p.challenges,
        greatest(p.last_solved_at, w.last_solved_at) as last_solved_at,
        coalesce(greatest(p.last_solved_at, w.last_solved_at, p.last_remote_accessed_at), '-infinity')
            as last_active_at,
        coalesce(w.solves_hash, 0) as solves_hash,
        {_GAINS},
        {_BEFORE}
    from people p left join windowed w on w.competitor_id = p.competitor_id
), ranked as (
    select *, rank() over (order by {_ORDER})::int as rank,
        rank() over (partition by division order by {_ORDER})::int as division_rank,
        {_RANKS}
    from summed
), wanted as (
    select r.*, coalesce(k.spark, '{{}}') as spark,
        coalesce(f.name_key, s.name_key, '') as name_key, coalesce(f.team_key, s.team_key, '') as team_key,
        coalesce(f.names_hash, s.names_hash, 0) as names_hash,
        coalesce(array_to_tsvector(string_to_array(f.words, ' ')), s.words, '') as words
    from ranked r
    left join sparks k on k.competitor_id = r.competitor_id
    left join folded f on f.competitor_id = r.competitor_id
    left join standings s on s.competitor_id = r.competitor_id
), compared as materialized (
    select w.*, s.competitor_id is null or ({_listed(_COLUMNS, "w.")}) is distinct from ({_listed(_COLUMNS, "s.")})
            as is_new,
        (w.solves_hash, w.division) is distinct from (coalesce(s.solves_hash, 0), coalesce(s.division, w.division))
            as is_rescored
    from wanted w left join standings s on s.competitor_id = w.competitor_id
), written as (
    insert into standings (competitor_id, {_listed(_COLUMNS)})
    select competitor_id, {_listed(_COLUMNS)} from compared where is_new
    on conflict (competitor_id) do update set {_assigned(_COLUMNS)}
    returning 1
), gone as (
    delete from standings s where s.organization_id = $1
        and not exists (select from people p where p.competitor_id = s.competitor_id)
    returning competitor_id
)
select (select count(*) from written) + (select count(*) from gone) as written,
    array(select competitor_id from compared where is_rescored union all select competitor_id from gone) as rescored
"""  # noqa: S608

# The days of those among $1, in the zone $2, numbered from $3. Days without a solve stay out.
WRITE_HISTORIES = """
with days as (
    select competitor_id, (solved_at at time zone $2)::date - $3::date as day, sum(challenge_points)::int as points,
        count(*)::int as challenges, max(solved_at) as last_solved_at
    from game_platform_challenge_solves where competitor_id = any($1::uuid[]) group by 1, 2
), added_up as (
    select competitor_id, day, sum(points) over so_far::int as points, sum(challenges) over so_far::int as challenges,
        max(last_solved_at) over so_far as last_solved_at
    from days window so_far as (partition by competitor_id order by day)
), gone as (
    delete from standing_histories
    where competitor_id = any($1::uuid[]) and competitor_id not in (select competitor_id from days)
), written as (
    insert into standing_histories (competitor_id, days, points, challenges, last_solved_at)
    select competitor_id, array_agg(day order by day), array_agg(points order by day),
        array_agg(challenges order by day), array_agg(last_solved_at order by day)
    from added_up group by competitor_id
    on conflict (competitor_id) do update set days = excluded.days, points = excluded.points,
        challenges = excluded.challenges, last_solved_at = excluded.last_solved_at
    returning 1
)
select count(*) as written from written
"""

# The scopes in which somebody among $2 has, or had, a score: each source, each category, each pair of them.
TOUCHED_SCOPES = """
with pairs as (
    select distinct source, coalesce(nullif(category, ''), 'Other') as category
    from game_platform_challenge_solves where competitor_id = any($2::uuid[])
), known as (
    select distinct source, category from standing_scopes
    where organization_id = $1 and competitor_id = any($2::uuid[])
)
select source, category from pairs union select source, '' from pairs union select '', category from pairs
union select source, category from known
order by 1, 2
"""

_SCOPE_COLUMNS = (
    "organization_id", "division", "points", "challenges", "last_solved_at", "rank", "division_rank",
)

# One scope ($2 source, $3 category, '' = all): those among $4 counted anew, everybody ranked, what differs written.
WRITE_SCOPE = f"""
with scored as (
    select v.competitor_id, sum(v.challenge_points)::int as points, count(*)::int as challenges,
        max(v.solved_at) as last_solved_at
    from game_platform_challenge_solves v
    where v.competitor_id = any($4::uuid[]) and ($2 = '' or v.source = $2)
        and ($3 = '' or coalesce(nullif(v.category, ''), 'Other') = $3)
    group by v.competitor_id
    union all
    select competitor_id, points, challenges, last_solved_at from standing_scopes
    where organization_id = $1 and source = $2 and category = $3 and competitor_id <> all($4::uuid[])
), wanted as materialized (
    select o.*, s.organization_id, s.division, rank() over (order by {_ORDER})::int as rank,
        rank() over (partition by s.division order by {_ORDER})::int as division_rank
    from (select competitor_id, points, challenges, last_solved_at from scored) o
    join (select competitor_id, organization_id, division from standings where organization_id = $1) s
        on s.competitor_id = o.competitor_id
), written as (
    insert into standing_scopes (competitor_id, source, category, {_listed(_SCOPE_COLUMNS)})
    select w.competitor_id, $2, $3, {_listed(_SCOPE_COLUMNS, "w.")}
    from wanted w left join standing_scopes s
        on s.competitor_id = w.competitor_id and s.source = $2 and s.category = $3
    where s.id is null or ({_listed(_SCOPE_COLUMNS, "w.")}) is distinct from ({_listed(_SCOPE_COLUMNS, "s.")})
    on conflict (competitor_id, source, category) do update set {_assigned(_SCOPE_COLUMNS)}
    returning 1
), gone as (
    delete from standing_scopes s where s.organization_id = $1 and s.source = $2 and s.category = $3
        and s.competitor_id = any($4::uuid[])
        and not exists (select from wanted w where w.competitor_id = s.competitor_id)
    returning 1
)
select (select count(*) from written) + (select count(*) from gone) as written
"""  # noqa: S608
