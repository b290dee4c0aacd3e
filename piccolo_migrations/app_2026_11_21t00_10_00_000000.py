"""Indexes that Piccolo does not write by itself (composite, partial, functional), and the limiter's function."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-21T00:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes and the limiter"

INDEXES = {
    # people
    "users_email_key": "unique index {} on users (lower(email)) where email is not null",
    "users_gamer_tag_idx": "index {} on users (lower(startgg_gamer_tag)) where startgg_gamer_tag is not null",
    "users_racetime_id_key": "unique index {} on users (racetime_id) where racetime_id is not null",
    "organization_members_user_idx": "index {} on organization_members (user_id)",
    "sessions_user_idx": "index {} on sessions (user_id)",
    "one_time_links_user_idx": "index {} on one_time_links (user_id)",
    "recovery_codes_user_idx": "index {} on recovery_codes (user_id)",
    "sign_in_attempts_subject_idx": "index {} on sign_in_attempts (subject, at)",
    "sign_in_attempts_address_idx": "index {} on sign_in_attempts (address, at)",
    # rosters
    "competitors_coach_idx": "index {} on competitors (coach_id)",
    "competitors_organization_idx": "index {} on competitors (organization_id)",
    "competitors_user_idx": "index {} on competitors (user_id)",
    "competitors_email_idx": "index {} on competitors (coach_id, lower(email))",
    "competitors_status_idx": "index {} on competitors (status) where archived_at is null",
    "teams_name_key": "unique index {} on teams (coach_id, lower(name)) where archived_at is null",
    "teams_organization_idx": "index {} on teams (organization_id)",
    "team_memberships_team_idx": "index {} on team_memberships (team_id)",
    "team_assistants_assistant_idx": "index {} on team_assistants (user_id)",
    # scores
    "challenge_solves_recent_idx": "index {} on game_platform_challenge_solves (competitor_id, solved_at desc)",
    "challenge_solves_window_idx":
        "index {} on game_platform_challenge_solves (solved_at) include (competitor_id, challenge_points)",
    "flash_ctf_events_competitor_idx": "index {} on game_platform_flash_ctf_events (competitor_id)",
    "sync_state_due_idx": "index {} on game_platform_sync_state (due_at)",
    "sync_state_totals_idx": "index {} on game_platform_sync_state (syned_user_id) where needs_totals_refresh",
    "sync_runs_run_idx": "index {} on game_platform_sync_runs (run_id)",
    # jobs
    "job_runs_active_key": "unique index {} on job_runs (key) where state in ('queued', 'running')",
    "job_runs_waiting_idx": "index {} on job_runs (next_attempt_at) where state = 'queued'",
    "job_runs_leased_idx": "index {} on job_runs (lease_until) where state = 'running'",
    "job_runs_recent_idx": "index {} on job_runs (queued_at desc)",
    "job_runs_kind_idx": "index {} on job_runs (kind, queued_at desc)",
    "job_attempts_run_idx": "index {} on job_attempts (run_id)",
    "job_schedules_due_idx": "index {} on job_schedules (next_run_at) where enabled",
    # vendors
    "vendor_calls_slot_idx": "index {} on vendor_calls (token_key, slot_at desc)",
    "vendor_calls_recent_idx": "index {} on vendor_calls (vendor, started_at desc)",
    "vendor_calls_run_idx": "index {} on vendor_calls (run_id)",
    "quarantine_open_idx": "index {} on quarantine (vendor, last_seen_at desc) where resolved_at is null",
    # history
    "audit_log_at_idx": "index {} on audit_log (at desc)",
    "audit_log_subject_idx": "index {} on audit_log (subject_type, subject_id)",
    "disclosure_log_competitor_idx": "index {} on disclosure_log (competitor_id, at desc)",
    "activity_events_at_idx": "index {} on activity_events (organization_id, at desc)",
    "activity_events_competitor_idx": "index {} on activity_events (competitor_id, at desc)",
}

# The next call of a token leaves `spacing` after the one before, with at most `burst` calls at once. Burst and spacing
# are chosen by the caller so that no 60 seconds hold more than the vendor's limit. The lock makes it one queue for all
# processes; it ends with the statement, so a transaction-pooling proxy may stand in between.
RESERVE_CALL = """
create function reserve_vendor_call(
    p_vendor text, p_token_key text, p_kind text, p_run_id uuid,
    p_spacing interval, p_burst integer, p_patience interval,
    out call_id bigint, out wait_seconds double precision
) language plpgsql as $$
declare
    right_now timestamptz;
    earliest timestamptz;
    leaves_at timestamptz;
    next_slot timestamptz;
begin
    perform pg_advisory_xact_lock(hashtextextended(p_token_key, 0));
    right_now := clock_timestamp();
    select max(slot_at) into earliest from vendor_calls where token_key = p_token_key;
    next_slot := greatest(coalesce(earliest, '-infinity'), right_now) + p_spacing;
    leaves_at := greatest(next_slot - p_spacing * p_burst, right_now);
    wait_seconds := extract(epoch from leaves_at - right_now);
    if leaves_at - right_now > p_patience then
        return;
    end if;
    insert into vendor_calls (vendor, token_key, kind, run_id, slot_at, started_at)
    values (p_vendor, p_token_key, p_kind, p_run_id, next_slot, leaves_at) returning id into call_id;
end $$
"""


class Raw(Table):
    """Something to run SQL on."""


async def create() -> None:
    for name, definition in INDEXES.items():
        await Raw.raw(f"create {definition.format(name)}")
    await Raw.raw(RESERVE_CALL)


async def drop() -> None:
    await Raw.raw("drop function reserve_vendor_call")
    for name in INDEXES:
        await Raw.raw(f"drop index {name}")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="app", description=DESCRIPTION)
    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
