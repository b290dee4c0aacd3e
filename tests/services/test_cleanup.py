"""What is kept only for a time goes; everything else stays."""

import pytest

from app import database
from app.services import cleanup, job_runs
from app.services.job_runs import Claim
from app.tables.jobs import Trigger
from tests.cast import make_cast

OLD_AND_NEW = """
insert into job_runs (kind, key, state, finished_at)
select 'job_cleanup', state || age, state, now() - age::interval
from unnest(array['succeeded', 'failed', 'cancelled']) state, unnest(array['15 days', '13 days']) age;
insert into sign_in_attempts (subject, address, at) select 'x', 'y', now() - age::interval
from unnest(array['31 days', '29 days']) age;
insert into vendor_calls (vendor, token_key, kind, started_at) select 'v', 't', 'k', now() - age::interval
from unnest(array['31 days', '29 days']) age;
insert into sessions (token_hash, user_id, expires_at)
select age, (select id from users limit 1), now() - age::interval from unnest(array['1 minute', '-1 minute']) age;
insert into one_time_links (token_hash, user_id, expires_at)
select age, (select id from users limit 1), now() - age::interval from unnest(array['1 minute', '-1 minute']) age;
insert into outbox (organization_id, kind, subject_id, state, finished_at)
select (select id from organizations limit 1), 'team', gen_random_uuid(), state, now() - age::interval
from unnest(array['sent', 'discarded']) state, unnest(array['31 days', '29 days']) age;
insert into roster_uploads (user_id, coach_id, content, created_at)
select (select id from users limit 1), (select id from users limit 1), '', now() - age::interval
from unnest(array['25 hours', '23 hours']) age;
insert into alerts (organization_id, rule, subject, state, resolved_at)
select (select id from organizations limit 1), 'inactive', age, 'resolved', now() - age::interval
from unnest(array['401 days', '399 days']) age;
insert into notifications (user_id, kind, key, mail_state, at)
select (select id from users limit 1), 'test', age, 'sent', now() - age::interval
from unnest(array['181 days', '179 days']) age;
insert into game_platform_sync_runs (run_id, finished_at) select gen_random_uuid(), now() - age::interval
from unnest(array['91 days', '89 days']) age;
insert into roster_changes (id, user_id, action, created_at)
select gen_random_uuid(), (select id from users limit 1), 'release', now() - age::interval
from unnest(array['401 days', '399 days']) age;
insert into season_changes (organization_id, coach_id, ended_year, changed_at)
select (select id from organizations limit 1), (select id from users limit 1), age, now() - age::interval
from unnest(array['401 days', '399 days']) age;
insert into competitors (organization_id, coach_id, first_name)
select (select id from organizations limit 1), (select id from users limit 1), name
from unnest(array['kept', '401 days', '399 days', 'undone']) name;
insert into merges (organization_id, kept_id, gone_id, before, after, moved, merged_at, undone_at)
select gone.organization_id, kept.id, gone.id, '{"a": 1}', '{"a": 1}', '{"a": 1}',
    now() - age::interval, case when gone.first_name = 'undone' then now() - age::interval end
from competitors kept, competitors gone, unnest(array['401 days', '399 days']) age
where kept.first_name = 'kept' and gone.first_name in (age, 'undone');
insert into workers (id, name, last_heard_at) select gen_random_uuid(), age, now() - age::interval
from unnest(array['2 days', '1 hour']) age;
"""


async def _claim() -> Claim:
    added = await job_runs.add("job_cleanup", "this", {}, max_attempts=3, trigger=Trigger.COMMAND)
    claimed = await job_runs.claim(added.run_id, "worker")
    assert claimed
    return claimed.claim


@pytest.mark.parametrize("batch_rows", [1, 10_000])
async def test_only_what_is_outdated_goes(monkeypatch: pytest.MonkeyPatch, batch_rows: int) -> None:
    monkeypatch.setattr(cleanup, "BATCH_ROWS", batch_rows)
    await make_cast()
    await database.execute_script(OLD_AND_NEW)
    assert await cleanup.clean_up(await _claim()) == {
        "job_runs": 2, "sign_in_attempts": 1, "sessions": 1, "one_time_links": 1, "vendor_calls": 1,
        "game_platform_sync_runs": 1, "outbox": 1, "workers": 1, "roster_uploads": 1, "alerts": 1, "notifications": 1,
        "roster_changes": 1, "season_changes": 1, "merges": 1,
    }
    left = await database.fetch("select key from job_runs where state not in ('running') order by key")
    assert [row["key"] for row in left] == ["cancelled13 days", "failed13 days", "failed15 days", "succeeded13 days"]


async def test_an_old_merge_stays_known_without_what_the_two_looked_like() -> None:
    await make_cast()
    await database.execute_script(OLD_AND_NEW)
    await cleanup.clean_up(await _claim())
    found = await database.fetch(
        """select c.first_name, g.before || g.after || g.moved = '{}' as is_faded
           from merges g join competitors c on c.id = g.gone_id order by c.first_name"""
    )
    assert [tuple(row) for row in found] == [("399 days", False), ("401 days", True), ("undone", False)]


async def test_who_lost_the_lease_deletes_nothing() -> None:
    await make_cast()
    await database.execute_script(OLD_AND_NEW)
    claim = await _claim()
    with pytest.raises(job_runs.LeaseLost):
        await cleanup.clean_up(Claim(claim.run_id, claim.fence - 1))
    assert await database.fetchval("select count(*) from job_runs") == 7


async def test_deleted_runs_are_counted_once_per_day_kind_and_end() -> None:
    await make_cast()
    claim = await _claim()
    await database.execute_script("""
        insert into job_runs (kind, key, state, started_at, finished_at)
        select 'job_cleanup', 'k' || n, case when n < 2 then 'cancelled' else 'succeeded' end,
            current_date - interval '20 days' + interval '1 minute',
            current_date - interval '20 days' + interval '90 seconds'
        from generate_series(1, 5) n
    """)
    for _ in range(2):
        await cleanup.clean_up(claim)
    counts = await database.fetch("select state, runs, seconds from job_counts order by state")
    assert [tuple(row) for row in counts] == [("cancelled", 1, 30), ("succeeded", 4, 120)]
