-- Starts what is due, once a minute, from PostgreSQL itself: needs the extensions pg_cron, pg_net and Vault.
-- The secret is kept in Vault, encrypted; put it there once, from a session that keeps no history:
--   select vault.create_secret('the secret', 'sideline_scheduler');
-- Each request reads it anew, so a rotation needs no change here. Running this file again replaces the schedule.

select cron.schedule(
    'sideline-tick',
    '* * * * *',
    $tick$
    select net.http_post(
        url := 'https://sideline.example.org/api/jobs/tick',
        body := '{}'::jsonb,
        headers := jsonb_build_object(
            'Content-Type', 'application/json',
            'Authorization', 'Bearer ' || (
                select decrypted_secret from vault.decrypted_secrets where name = 'sideline_scheduler'
            )
        ),
        timeout_milliseconds := 20000
    )
    $tick$
);
