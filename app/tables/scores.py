"""What the Game Platform said: solves, Flash CTFs, totals, and how far each competitor has been read."""

from enum import StrEnum

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Integer, Text, Timestamptz, Varchar
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.tables.columns import belongs_to, json_object, now, number_key, one_of, optional_text, text, when
from app.tables.rosters import Competitor


class SolveSource(StrEnum):
    ON_DEMAND = "odl"
    FLASH_CTF = "flash_ctf"


class LookResult(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    WAITING = "waiting"


class ChallengeSolve(Table, tablename="game_platform_challenge_solves"):
    """One solve. `event_id` is '' for on-demand practice; a solve id may repeat across events."""

    id = number_key()
    competitor_id = belongs_to(Competitor)
    syned_user_id = Text(null=False)
    metactf_user_id = optional_text()
    challenge_solve_id = Text(null=False)
    challenge_id = Text(null=False)
    challenge_title = text()
    challenge_category = text()
    category = text("Other")
    challenge_points = Integer(null=False, default=0)
    solved_at = Timestamptz(null=False, default=TimestamptzNow())
    source = Varchar(null=False, default="odl")
    event_id = text()
    raw_payload = json_object()
    ingested_at = now()

    game_platform_challenge_solves_key = Unique(["syned_user_id", "source", "event_id", "challenge_solve_id"])
    game_platform_challenge_solves_source_check = Check(one_of("source", SolveSource))


class FlashCtfEvent(Table, tablename="game_platform_flash_ctf_events"):
    """One competitor's part in one Flash CTF; the vendor has no event id, so it is made from name and start."""

    id = number_key()
    competitor_id = belongs_to(Competitor)
    syned_user_id = Text(null=False)
    metactf_user_id = optional_text()
    event_id = Text(null=False)
    name = text()
    challenges_solved = Integer(null=False, default=0)
    score = Integer(null=False, default=0)
    max_points = Integer(null=False, default=0)
    rank = Integer(null=True, default=None)
    started_at = Timestamptz(null=False, default=TimestamptzNow())
    ended_at = when()
    raw_payload = json_object()
    ingested_at = now()

    game_platform_flash_ctf_events_key = Unique(["syned_user_id", "event_id"])


class FlashCtf(Table, tablename="game_platform_flash_ctfs"):
    """A Flash CTF that somebody's look has seen, and the newest solve in it that is stored.

    The platform answers with a person's whole history, so `game_platform_sync_state.last_flash_ctf_synced_at` says for
    every event whether that person has been fetched (app/domain/flash_ctf.py).
    """

    event_id = Text(primary_key=True)
    name = text()
    started_at = Timestamptz(null=False, default=TimestamptzNow())
    last_solved_at = when()
    first_seen_at = now()


class GamePlatformStats(Table, tablename="game_platform_stats"):
    """Totals as the vendor gives them: `total_score` = on-demand points + Flash CTF points, challenges likewise."""

    competitor_id = belongs_to(Competitor, primary_key=True)
    challenges_completed = Integer(null=False, default=0)
    total_score = Integer(null=False, default=0)
    monthly_ctf_challenges = Integer(null=False, default=0)
    odl_challenges = Integer(null=False, default=0)
    odl_points = Integer(null=False, default=0)
    flash_ctf_points = Integer(null=False, default=0)
    last_solved_at = when()
    updated_at = now()


class SyncState(Table, tablename="game_platform_sync_state"):
    """How far one competitor has been read. `last_odl_synced_at` is the newest vendor timestamp that is stored.

    `due_at`: when the next look should have happened; `retry_at`: after a failure of this one person, not before then.
    `active_until`: an hour after the latest look that found a new solve or access. `last_flash_ctf_synced_at`: every
    Flash CTF solve before this moment was in an answer that is stored.
    `agreed_team` is the platform's id of the team that both sides named last, null for none.
    """

    syned_user_id = Text(primary_key=True)
    competitor_id = belongs_to(Competitor, unique=True)
    last_odl_synced_at = when()
    last_flash_ctf_synced_at = when()
    last_remote_accessed_at = when()
    last_attempt_at = when()
    last_success_at = when()
    last_result = Varchar(null=True, default=None)
    error_message = optional_text()
    needs_totals_refresh = Boolean(null=False, default=False)
    recounted_total = Integer(null=True, default=None)
    consecutive_failures = Integer(null=False, default=0)
    due_at = now()
    retry_at = when()
    active_until = when()
    agreed_team = optional_text()
    team_agreed_at = when()
    account_seen_at = when()

    game_platform_sync_state_result_check = Check(one_of("last_result", LookResult))


class SyncMode(StrEnum):
    """How a run chose its people: whoever fell due, the next batch of the rotation, everybody, or whom it was told."""

    TIERS = "tiers"
    ROTATION = "rotation"
    ALL = "all"
    LIMITED = "limited"


class SyncRun(Table, tablename="game_platform_sync_runs"):
    """One row per batch of a `game_platform_sync` run. `synced`: people with new data."""

    id = number_key()
    run_id = UUID(null=False, default=None)
    mode = Varchar(null=False, default="tiers")
    batch_number = Integer(null=False, default=0)
    batch_size = Integer(null=False, default=50)
    total_batches = Integer(null=False, default=1)
    cursor_before = when()
    cursor_after = when()
    total = Integer(null=False, default=0)
    synced = Integer(null=False, default=0)
    skipped = Integer(null=False, default=0)
    failed = Integer(null=False, default=0)
    waiting = Integer(null=False, default=0)
    api_calls = Integer(null=False, default=0)
    new_solves = Integer(null=False, default=0)
    rows_written = BigInt(null=False, default=0)
    calls_by_endpoint = json_object()
    errors_by_kind = json_object()
    broken_invariants = JSONB(null=False, default="[]")
    started_at = now()
    finished_at = when()

    game_platform_sync_runs_mode_check = Check(one_of("mode", SyncMode))
