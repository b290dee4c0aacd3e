"""The leaderboard's one statement, put together from what a view asks for.

A view of one category or source has two stretches: those with a score there, then everybody else by name.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.domain import folding, windows
from app.domain.leaderboard import Sort, View
from app.domain.readers import Sight
from app.domain.windows import Window
from app.queries import leaderboard_frozen
from app.queries.keyset import Arguments, Key, Stretch, page_sql

SCORES = ("rank", "division_rank", "points", "challenges")
ID = Key("s.competitor_id", "uuid")
NAME = Key("s.name_key", "text", 'collate "C"')
RANK = Key("s.rank")
LATER_RANK = Key("(-s.rank)")

# Each order as its index has it; those that begin with the most are walked from the end.
KEYS: dict[Sort, tuple[Key, ...]] = {
    Sort.RANK: (RANK, NAME, ID),
    Sort.POINTS: (RANK, NAME, ID),
    Sort.NAME: (NAME, ID),
    Sort.TEAM: (Key("s.team_key", "text", 'collate "C"'), RANK, ID),
    Sort.DIVISION: (Key("s.division", "text"), RANK, NAME, ID),
    Sort.CHALLENGES: (Key("s.challenges"), LATER_RANK, ID),
    Sort.LAST_ACTIVE: (Key("s.last_active_at", "timestamptz", least="-infinity"), LATER_RANK, ID),
}
SCOPE_ID = Key("k.competitor_id", "uuid")
SCOPED_KEYS: dict[Sort, tuple[Key, ...]] = {
    Sort.RANK: (Key("k.rank"), SCOPE_ID),
    Sort.POINTS: (Key("k.rank"), SCOPE_ID),
    Sort.CHALLENGES: (Key("k.challenges"), Key("(-k.rank)"), SCOPE_ID),
}
BEST_FIRST_UPWARDS = frozenset({Sort.RANK, Sort.POINTS})


@dataclass(frozen=True, slots=True)
class Statement:
    sql: str
    arguments: list[object]


def has_stored_change(view: View) -> bool:
    return view.window in windows.PRESETS and not view.is_scoped


def keys_of_stretches(view: View) -> dict[int, tuple[Key, ...]]:
    if view.as_of:
        return {0: KEYS.get(view.sort) or (leaderboard_frozen.CHANGE_SINCE, LATER_RANK, ID)}
    if view.is_scoped and view.sort in SCOPED_KEYS:
        return {0: SCOPED_KEYS[view.sort], 1: (NAME, ID)}
    if view.sort is not Sort.CHANGE:
        return {0: KEYS[view.sort]}
    gain = Key(f"s.gain_{view.window}" if has_stored_change(view) else "coalesce(v.change, 0)")
    return {0: (gain, LATER_RANK, ID)}


def page_statement(
    view: View, sight: Sight, organization_id: UUID, window: Window, limit: int, *, has_few_matches: bool = False,
    moment: datetime | None = None,
) -> Statement:
    """At most `limit` rows of the view, those that follow its cursor, in the order of travel.

    `moment`: of a view of the past, which one.
    """
    arguments = Arguments([organization_id])
    standings, conditions = _seen(view, sight, arguments, has_few_matches=has_few_matches)
    stretches = _stretches(view, standings, conditions, arguments)
    page = page_sql(stretches, view.cursor, limit, arguments)
    if moment:
        movement, rank_now = leaderboard_frozen.table(view, moment, arguments), "p.rank_now"
        change, rank_then, join = "p.change", "null::int", ""
    else:
        movement, rank_now = _movement(view, window, arguments), "null::int"
        change, rank_then, join = _change(view, window, bool(movement), arguments)
    sql = f"""with {movement}page as ({page})
select p.competitor_id, c.first_name, c.last_name, coalesce(c.metactf_username, '') as handle,
    c.game_platform_id is not null as is_linked, m.team_id, coalesce(t.name, '') as team, c.coach_id,
    coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '') as coach, p.division, p.rank,
    p.division_rank, {rank_then} as rank_then, {rank_now} as rank_now,
    p.points, p.challenges, {change} as change, p.spark, p.last_active_at,
    y.last_success_at, y.last_result, p.keys
from page p
join competitors c on c.id = p.competitor_id
left join team_memberships m on m.competitor_id = p.competitor_id
left join teams t on t.id = m.team_id
left join users u on u.id = c.coach_id
left join game_platform_sync_state y on y.competitor_id = p.competitor_id
{join}
where c.archived_at is null and {arguments.sight(sight, "c.coach_id", "m.team_id")}
order by p.place, p.n"""  # noqa: S608
    return Statement(sql, arguments.values)


def _seen(
    view: View, sight: Sight, arguments: Arguments, *, has_few_matches: bool
) -> tuple[str, tuple[str, ...]]:
    """Where the rows come from and what they must be: of the reader's sight first, then of the view's filters.

    Few matches of a search are found by its index and sorted; among many, the order's index soon meets a page full.
    The database cannot tell which is which, so `offset 0` keeps it from walking the order for a handful.
    """
    table = "frozen" if view.as_of else "standings"
    standings = f"{table} s"
    conditions = ["s.organization_id = $1", arguments.sight(sight, "s.coach_id", "s.team_id")]
    if view.coach_id:
        conditions.append(f"s.coach_id = {arguments.add(view.coach_id)}")
    if view.team_id:
        conditions.append(f"s.team_id = {arguments.add(view.team_id)}")
    if view.division:
        conditions.append(f"s.division = {arguments.add(view.division)}")
    if view.search:
        matches = f"s.words @@ {arguments.add(search_query(view.search))}::text::tsquery"
        if has_few_matches:
            standings = f"(select * from {table} s where s.organization_id = $1 and {matches} offset 0) s"  # noqa: S608
        else:
            conditions.append(matches)
    return standings, tuple(conditions)


def search_query(text: str) -> str:
    """Every word of the text as the beginning of a word; '' finds nothing."""
    return " & ".join(f"'{word}':*" for word in folding.words(text))


def _stretches(
    view: View, standings: str, conditions: tuple[str, ...], arguments: Arguments
) -> list[Stretch]:
    keys = keys_of_stretches(view)
    is_upwards = view.is_descending == (view.sort is Sort.POINTS)
    if view.as_of:
        return [Stretch(0, standings, conditions, keys[0], is_upwards, leaderboard_frozen.COLUMNS)]
    if not view.is_scoped:
        return [Stretch(0, standings + _moved(view), conditions, keys[0], is_upwards, _columns(view, _scores_of("s")))]
    scope = f"k.organization_id = $1 and k.source = {arguments.add(view.source)}"
    scope += f" and k.category = {arguments.add(view.category)}"
    nothing = _scores_of_nobody(view, scope)
    if view.sort not in SCOPED_KEYS:
        scores = {name: f"coalesce(k.{name}, {nothing[name]})" for name in SCORES}
        join = f" left join standing_scopes k on k.competitor_id = s.competitor_id and {scope}"
        return [Stretch(0, standings + join + _moved(view), conditions, keys[0], is_upwards, _columns(view, scores))]
    is_best_first = is_upwards == (view.sort in BEST_FIRST_UPWARDS)
    scored = Stretch(
        0, f"standing_scopes k join {standings} on s.competitor_id = k.competitor_id", (scope, *conditions), keys[0],
        is_upwards, _columns(view, _scores_of("k")),
    )
    has_none = f"not exists (select from standing_scopes k where k.competitor_id = s.competitor_id and {scope})"
    others = Stretch(1, standings, (*conditions, has_none), keys[1], is_best_first, _columns(view, nothing))
    return [scored, others] if is_best_first else [others, scored]


def _columns(view: View, scores: dict[str, str]) -> dict[str, str]:
    """What a row shows of the standings themselves; everything else is looked up for the page's rows alone."""
    stored = {"change": f"s.gain_{view.window}", "rank_then": f"s.rank_{view.window}"}
    return {
        "competitor_id": "s.competitor_id", "division": "s.division", "spark": "s.spark::text",
        "last_active_at": "nullif(s.last_active_at, '-infinity')", **scores,
        **(stored if has_stored_change(view) else {}),
    }


def _scores_of(table: str) -> dict[str, str]:
    return {name: f"{table}.{name}" for name in SCORES}


def _moved(view: View) -> str:
    if view.sort is not Sort.CHANGE or has_stored_change(view):
        return ""
    return " left join movement v on v.competitor_id = s.competitor_id"


def _scores_of_nobody(view: View, scope: str) -> dict[str, str]:
    """Everybody without a score shares the rank after the last one who has some."""
    after = f"(select count(*)::int + 1 from standing_scopes k where {scope}{{}})"  # noqa: S608
    division = after.format(" and k.division = s.division") if view.division else "0"
    return {"rank": after.format(""), "division_rank": division, "points": "0", "challenges": "0"}


def _movement(view: View, window: Window, arguments: Arguments) -> str:
    """What changed for everybody within the window, counted now; '' where nobody needs it."""
    if has_stored_change(view) or (view.is_scoped and view.sort is not Sort.CHANGE):
        return ""
    if view.is_scoped:
        return f"""movement as materialized (
    select v.competitor_id, sum(v.challenge_points)::int as change, null::int as rank_then
    from game_platform_challenge_solves v where {_within(view, window, arguments)} group by 1
), """  # noqa: S608
    first = arguments.add(windows.day_number(window.first_day))
    last = arguments.add(windows.day_number(window.last_day))
    return f"""movement as materialized (
    select s.competitor_id, coalesce(h.points[found.until], 0) - past.points as change, rank() over (
        order by s.points - coalesce(h.points[found.latest], 0) + past.points desc,
            s.challenges - coalesce(h.challenges[found.latest], 0) + past.challenges desc,
            case when found.before = found.latest then s.last_solved_at else h.last_solved_at[found.before] end
                nulls last)::int as rank_then
    from standings s left join standing_histories h on h.competitor_id = s.competitor_id
    cross join lateral (
        select coalesce(cardinality(h.days), 0) as latest,
            coalesce(width_bucket({first}::int - 1, h.days), 0) as before,
            coalesce(width_bucket({last}::int, h.days), 0) as until offset 0) found
    cross join lateral (
        select coalesce(h.points[found.before], 0) as points, coalesce(h.challenges[found.before], 0) as challenges
        offset 0) past
    where s.organization_id = $1
), """  # noqa: S608


def _change(view: View, window: Window, has_movement: bool, arguments: Arguments) -> tuple[str, str, str]:
    """SQL of the change and of the rank at the window's start, and the join that they need."""
    if has_stored_change(view):
        return "p.change", "p.rank_then", ""
    if has_movement:
        return "coalesce(v.change, 0)", "v.rank_then", "left join movement v on v.competitor_id = p.competitor_id"
    return f"""(select coalesce(sum(v.challenge_points), 0)::int from game_platform_challenge_solves v
        where v.competitor_id = p.competitor_id and {_within(view, window, arguments)})""", "null::int", ""  # noqa: S608


def _within(view: View, window: Window, arguments: Arguments) -> str:
    """The solves that count for the window and the scope."""
    conditions = [f"v.solved_at >= {arguments.add(window.starts_at)}"]
    if window.ends_at:
        conditions.append(f"v.solved_at < {arguments.add(window.ends_at)}")
    if view.source:
        conditions.append(f"v.source = {arguments.add(view.source)}")
    if view.category:
        conditions.append(f"coalesce(nullif(v.category, ''), 'Other') = {arguments.add(view.category)}")
    return " and ".join(conditions)
