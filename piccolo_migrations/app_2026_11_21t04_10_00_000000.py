"""Indexes of the fourth generation's tables that Piccolo does not write by itself, and how challenges become known."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-21T04:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of the coach's pages"

INDEXES = {
    # charts
    "challenge_solves_event_idx":
        "index {} on game_platform_challenge_solves (event_id, competitor_id) include (solved_at, challenge_points)"
        " where source = 'flash_ctf'",
    "flash_ctf_events_event_idx":
        "index {} on game_platform_flash_ctf_events (event_id, competitor_id) include (score, challenges_solved)",
    "flash_ctf_events_played_idx":
        "index {} on game_platform_flash_ctf_events (started_at) where challenges_solved > 0",
    # calendars
    "calendar_breaks_organization_idx": "index {} on calendar_breaks (organization_id, first_day)",
    # roster changes
    "roster_changes_user_idx": "index {} on roster_changes (user_id, created_at desc)",
    # roster history
    "roster_uploads_user_idx": "index {} on roster_uploads (user_id)",
    "roster_uploads_coach_idx": "index {} on roster_uploads (coach_id)",
    "merges_gone_key": "unique index {} on merges (gone_id) where undone_at is null",
    "merges_kept_idx": "index {} on merges (kept_id)",
    "merges_recent_idx": "index {} on merges (organization_id, merged_at desc)",
    "different_people_second_idx": "index {} on different_people (second_id)",
    "season_changes_year_key":
        "unique index {} on season_changes (coach_id, ended_year) where undone_at is null",
    "season_changes_recent_idx": "index {} on season_changes (coach_id, changed_at desc)",
    # practice hours
    "challenge_solves_practice_idx":
        "index {} on game_platform_challenge_solves (competitor_id, category, solved_at) where source = 'odl'",
    "practice_event_windows_name_key":
        "unique index {} on practice_event_windows (organization_id, lower(name))",
    # coverage
    "challenge_solves_coverage_idx":
        "index {} on game_platform_challenge_solves (competitor_id, category, challenge_points)",
    # alerts
    "alerts_live_key": "unique index {} on alerts (rule, subject) where state <> 'resolved'",
    "alerts_recent_idx": "index {} on alerts (organization_id, state, opened_at desc, id desc)",
    "alerts_competitor_idx": "index {} on alerts (competitor_id)",
    "alerts_team_idx": "index {} on alerts (team_id)",
    "alert_events_alert_idx": "index {} on alert_events (alert_id, id)",
    "notifications_reader_idx": "index {} on notifications (user_id, id desc)",
    "notifications_unread_idx": "index {} on notifications (user_id) where read_at is null",
    "notifications_alert_idx": "index {} on notifications (alert_id)",
    "notifications_competitor_idx": "index {} on notifications (competitor_id)",
    "notifications_view_idx": "index {} on notifications (saved_view_id)",
    "notifications_unsent_idx": "index {} on notifications (user_id) where mail_state in ('waiting', 'sending')",
    "saved_view_rows_competitor_idx": "index {} on saved_view_rows (competitor_id)",
}

# Who stores solves need not know that challenges become known by it. The lock makes those who bring new ones at the
# same time take turns: they might bring the same ones in another order.
REMEMBER_CHALLENGES = """
create function remember_challenges() returns trigger language plpgsql as $$
begin
    if exists (
        select from stored s join competitors c on c.id = s.competitor_id
        where not exists (
            select from known_challenges k where k.organization_id = c.organization_id
                and k.event_id = s.event_id and k.challenge_id = s.challenge_id)
    ) then
        perform pg_advisory_xact_lock(hashtextextended('known challenges', 0));
        insert into known_challenges (organization_id, event_id, challenge_id, category, points)
        select distinct on (c.organization_id, s.event_id, s.challenge_id) c.organization_id, s.event_id,
            s.challenge_id, coalesce(nullif(s.category, ''), 'Other'), s.challenge_points
        from stored s join competitors c on c.id = s.competitor_id
        order by c.organization_id, s.event_id, s.challenge_id, s.solved_at desc
        on conflict do nothing;
    end if;
    return null;
end $$
"""
REMEMBER = """
create trigger remember_challenges after insert on game_platform_challenge_solves
referencing new table as stored for each statement execute function remember_challenges()
"""
REMEMBER_THE_OLD = """
insert into known_challenges (organization_id, event_id, challenge_id, category, points)
select distinct on (c.organization_id, s.event_id, s.challenge_id) c.organization_id, s.event_id, s.challenge_id,
    coalesce(nullif(s.category, ''), 'Other'), s.challenge_points
from game_platform_challenge_solves s join competitors c on c.id = s.competitor_id
order by c.organization_id, s.event_id, s.challenge_id, s.solved_at desc
"""

# Several ways lead to another status, and each begins a stage. Whoever sets the moment too means it.
BEGIN_STAGE = """
create function begin_stage() returns trigger language plpgsql as $$
begin
    new.stage_since = now();
    return new;
end $$
"""
BEGIN = """
create trigger begin_stage before update on competitors for each row
when (old.status is distinct from new.status and old.stage_since = new.stage_since)
execute function begin_stage()
"""
STAGES_OF_THE_OLD = "update competitors set stage_since = updated_at"


class Raw(Table):
    """Something to run SQL on."""


async def create() -> None:
    for name, definition in INDEXES.items():
        await Raw.raw(f"create {definition.format(name)}")
    for statement in (REMEMBER_CHALLENGES, REMEMBER, REMEMBER_THE_OLD, STAGES_OF_THE_OLD, BEGIN_STAGE, BEGIN):
        await Raw.raw(statement)


async def drop() -> None:
    await Raw.raw("drop trigger begin_stage on competitors")
    await Raw.raw("drop function begin_stage")
    await Raw.raw("drop trigger remember_challenges on game_platform_challenge_solves")
    await Raw.raw("drop function remember_challenges")
    for name in INDEXES:
        await Raw.raw(f"drop index {name}")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="app", description=DESCRIPTION)
    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
