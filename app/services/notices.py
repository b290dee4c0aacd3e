"""Telling people: a row each, once, in the transaction of what they are told of. Mail comes later, or not at all."""

from collections.abc import Sequence
from uuid import UUID

from app import database

OPENED = "alert_opened"
FLAPPING = "alert_flapping"
ENTERED = "view_entered"
LEFT = "view_left"
TEST = "test"

MUTED = "switched off in the preferences"
NO_ADDRESS = "there is no e-mail address"

# A person's or team's alert goes to the coach and the assistants; where there is no coach, and for what is about the
# whole organization, to its admins.
_ABOUT_ALERTS = """
with told as (
    select a.id, a.rule, a.competitor_id, r.user_id
    from alerts a
    left join competitors c on c.id = a.competitor_id
    left join team_memberships m on m.competitor_id = a.competitor_id
    left join teams t on t.id = a.team_id
    cross join lateral (
        select coalesce(c.coach_id, t.coach_id) as user_id
        union select s.user_id from team_assistants s where s.team_id = coalesce(m.team_id, t.id)
        union select o.user_id from organization_members o join users u on u.id = o.user_id and u.role = 'admin'
            where o.organization_id = a.organization_id and coalesce(c.coach_id, t.coach_id) is null
    ) r
    where a.id = any($1::uuid[])
)
insert into notifications (user_id, kind, key, alert_id, competitor_id, mail_state, mail_reason)
select u.id, $2::text, 'alert:' || told.id || ':' || $2::text, told.id, told.competitor_id,
    case when x.why is null then 'waiting' else 'suppressed' end, x.why
from told
join users u on u.id = told.user_id and u.disabled_at is null
left join notification_preferences p on p.user_id = u.id
cross join lateral (
    select case when u.email is null then $4::text when p.mail = 'off' or p.muted ? told.rule then $3::text end as why
) x
on conflict (user_id, key) do nothing
"""

_ABOUT_ROWS = """
insert into notifications (user_id, kind, key, saved_view_id, competitor_id, mail_state, mail_reason)
select v.user_id, $3::text, 'view:' || v.id || ':' || n.id || ':' || $3::text || ':' || $4::uuid, v.id, n.id,
    case when x.why is null then 'waiting' else 'suppressed' end, x.why
from saved_views v cross join unnest($2::uuid[]) as n (id)
join users u on u.id = v.user_id
left join notification_preferences p on p.user_id = v.user_id
cross join lateral (
    select case when u.email is null then $6::text when p.mail = 'off' or p.muted ? 'saved_views' then $5::text end
        as why
) x
where v.id = $1
on conflict (user_id, key) do nothing
"""


async def tell_of_alerts(alert_ids: Sequence[UUID], kind: str) -> None:
    if alert_ids:
        await database.execute(_ABOUT_ALERTS, list(alert_ids), kind, MUTED, NO_ADDRESS)


async def tell_of_rows(view_id: UUID, competitor_ids: Sequence[UUID], kind: str, run_id: UUID) -> None:
    """Who entered or left a watched view, as one run saw it."""
    if competitor_ids:
        await database.execute(_ABOUT_ROWS, view_id, list(competitor_ids), kind, run_id, MUTED, NO_ADDRESS)


async def suppress(user_id: UUID, *, all_of_them: bool, kinds: Sequence[str]) -> None:
    """Nothing that waits for mail against the reader's wish is sent later."""
    await database.execute(
        """update notifications n set mail_state = 'suppressed', mail_reason = $4
           where user_id = $1 and mail_state = 'waiting' and ($2
               or (saved_view_id is not null and 'saved_views' = any($3))
               or exists (select from alerts a where a.id = n.alert_id and a.rule = any($3)))""",
        user_id, all_of_them, list(kinds), MUTED,
    )


async def tell_of_a_test(user_id: UUID) -> int:
    """Something to see on the page, at the reader's own wish."""
    notice_id: int = await database.fetchval(
        """insert into notifications (user_id, kind, key, mail_state, mail_reason)
           values ($1, $2, 'test:' || gen_random_uuid(), 'suppressed', 'a test of this page') returning id""",
        user_id, TEST,
    )
    return notice_id


async def read_until(user_id: UUID, newest: int) -> int:
    """What came after the page was shown stays unread."""
    return await database.execute(
        "update notifications set read_at = now() where user_id = $1 and id <= $2 and read_at is null", user_id, newest
    )
