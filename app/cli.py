"""The command line. Each command is a few lines around a service; heavy imports wait until a command needs them."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from app import local
from app.settings import ROOT, Settings, SettingsError, get_settings

ACTOR = "command line"


class Refused(click.ClickException):
    """One clear line on standard error; exit 1."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Sideline's command line."""
    local.adopt_environment(_var_dir(), os.environ)


def _var_dir() -> Path:
    return Path(os.environ.get("SIDELINE_VAR_DIR") or ROOT / "var")


def settings_or_refuse() -> Settings:
    try:
        return get_settings()
    except SettingsError as error:
        raise Refused(str(error)) from None


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs a command's work on an open database."""

    async def on_database() -> Any:
        async with opened_database():
            return await work

    try:
        return asyncio.run(on_database())
    finally:
        work.close()  # a refusal before it began must not leave it hanging


@asynccontextmanager
async def opened_database() -> AsyncIterator[str]:
    """The database of DATABASE_URL, else the embedded one: the running one, or one started for this command."""
    from app import database, embedded_postgres

    url, process = settings_or_refuse().database_url, None
    if not url:
        try:
            place = embedded_postgres.locate(_var_dir())
            process = None if place.pid else embedded_postgres.start(place)
        except embedded_postgres.EmbeddedPostgresError as error:
            raise Refused(str(error)) from None
        url = place.url
    try:
        await _open(url)
        yield url
    finally:
        if queue := sys.modules.get("app.queue"):
            await queue.close_queue()
        await database.close_pool()
        if process:
            embedded_postgres.stop(process)


async def _open(url: str) -> None:
    import asyncpg

    from app import database, migrations

    os.environ["DATABASE_URL"] = url
    get_settings.cache_clear()
    try:
        await migrations.create_database(url)
        if not await migrations.is_up_to_date(url):
            await migrations.migrate(url)
        await database.open_pool(url, max_size=4)
    except OSError as error:
        raise Refused(f"The database does not answer ({error}). Is its server running?") from None
    except asyncpg.PostgresError as error:
        raise Refused(f"The database refuses: {error}") from None
    except migrations.MigrationError as error:
        raise Refused(f"The database could not be migrated: {error}") from None


def print_list(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, default=_plain, ensure_ascii=False, indent=2))
        return
    for row in rows:
        click.echo("  ".join(f"{_plain(value)}" for value in row.values() if value is not None))


def _plain(value: object) -> str:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


@cli.command()
@click.option("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
@click.option("--port", default=8000, type=click.IntRange(1, 65535), help="port (default 8000)")
@click.option("--workers", default=1, type=click.IntRange(1, 64), help="web processes (default 1)")
def serve(host: str, port: int, workers: int) -> None:
    """Run the web server."""
    _require_for_service("serve")
    import uvicorn

    uvicorn.run(
        "app.main:create_app", factory=True, host=host, port=port, workers=workers, access_log=False,
        proxy_headers=False, server_header=False, log_level="warning", timeout_graceful_shutdown=10,
    )


@cli.command()
def worker() -> None:
    """Run one worker process: jobs and schedules."""
    _require_for_service("worker")
    from app.jobs.worker import main

    main()


def _require_for_service(name: str) -> None:
    settings = settings_or_refuse()
    missing = [
        variable for variable, value in {
            "DATABASE_URL": settings.database_url, "SECRET_KEY": settings.secret_key,
            "ENCRYPTION_KEYS": settings.encryption_keys,
        }.items() if not value
    ]
    if missing:
        raise Refused(f"{name} needs {', '.join(missing)} in the environment. bin/run makes them for this checkout.")


@cli.command()
@click.option("--backwards", metavar="ID", help="undo the migrations down to and including this one, or 'all'")
def migrate(backwards: str | None) -> None:
    """Bring the database to the newest migration."""
    from app import migrations

    async def work() -> None:
        try:
            if backwards:
                await migrations.migrate_backwards(backwards)
        except migrations.MigrationError as error:
            raise Refused(str(error)) from None

    run(work())
    click.echo("Undone." if backwards else "The database is up to date.")


@cli.command()
def check() -> None:
    """Look at settings and connections, one line each; exit 1 where something is unusable."""
    from app.check import look

    findings = asyncio.run(look(settings_or_refuse, opened_database))
    for finding in findings:
        click.echo(f"{'ok     ' if finding.is_good else 'broken '} {finding.subject}: {finding.text}")
    if not all(finding.is_good for finding in findings):
        raise SystemExit(1)


@cli.command("create-user")
@click.argument("email")
@click.option("--role", required=True, type=click.Choice(["admin", "coach", "player"]))
@click.option("--first-name", default="", help="required for a coach")
@click.option("--last-name", default="", help="required for a coach")
@click.option("--organization", help="made where it does not exist yet")
@click.option("--organizer", is_flag=True, help="may organize tournaments of the organization")
@click.option("--password-stdin", is_flag=True, help="read the password from standard input instead of printing a link")
def create_user(
    email: str, role: str, first_name: str, last_name: str, organization: str | None, organizer: bool,
    password_stdin: bool,
) -> None:
    """Make an account; prints a link that sets its password once."""
    from app.services import accounts

    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    try:
        created = run(
            accounts.create_user(
                email=email, role=role, first_name=first_name, last_name=last_name, organization=organization,
                organizer=organizer, password=password, actor_label=ACTOR,
            )
        )
    except accounts.AccountError as error:
        raise Refused(str(error)) from None
    click.echo(f"{email} can sign in as {role}.")
    if created.set_password_link:
        click.echo(f"Set the password within 24 hours: {created.set_password_link}")


@cli.command("import-roster")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--coach", required=True, metavar="EMAIL", help="whose roster it is")
@click.option("--dry-run", is_flag=True, help="say what would change and list every bad row")
def import_roster(file: Path, coach: str, dry_run: bool) -> None:
    """Import a roster from a CSV file, all of it or nothing."""
    from app.services import roster_import

    content = file.read_bytes()
    report = run(
        roster_import.import_roster(content, coach_email=coach, dry_run=dry_run, actor=None, actor_label=ACTOR)
    )
    for problem in report.errors:
        where = f"row {problem.row}, {problem.field}: " if problem.row else ""
        click.echo(f"{where}{problem.message}", err=True)
    if report.errors:
        raise Refused("Nothing was imported. Mend what is named above and import the file again.")
    click.echo(
        f"People: {report.created} new, {report.updated} changed, {report.unchanged} unchanged. "
        f"New teams: {report.teams_created}."
    )
    if dry_run:
        click.echo("This was a dry run; nothing was changed.")


@cli.group()
def jobs() -> None:
    """Runs of background work."""


@jobs.command("list")
@click.option(
    "--state", type=click.Choice(["queued", "running", "succeeded", "failed", "cancelled"]), help="only these runs"
)
@click.option("--kind", help="only runs of this job kind")
@click.option("--limit", default=20, type=click.IntRange(1, 1000), help="at most this many (default 20)")
@click.option("--json", "as_json", is_flag=True, help="for programs, with everything that is known")
def list_jobs(state: str | None, kind: str | None, limit: int, as_json: bool) -> None:
    """The latest runs, newest first."""
    rows, failed_calls = run(_latest_runs(limit, state, kind))
    lines = [asdict(row) if as_json else _run_line(row, failed_calls.get(row.run_id)) for row in rows]
    print_list(lines, as_json=as_json)
    if not rows and not as_json:
        click.echo("No such runs.", err=True)


async def _latest_runs(limit: int, state: str | None, kind: str | None) -> tuple[Any, dict[UUID, str]]:
    from app.queries import job_runs

    rows = await job_runs.list_runs(limit=limit, state=state, kind=kind)
    return rows, await job_runs.failed_calls(row.run_id for row in rows if (row.result or {}).get("failed"))


def _run_line(row: Any, failed_calls: str | None) -> dict[str, Any]:
    counts = " ".join(f"{name}={value}" for name, value in (row.result or {}).items())
    if failed_calls:
        counts += f" (mostly {failed_calls})"
    error = f"error: {' '.join(row.error.split())}" if row.error else None
    return {
        "at": row.queued_at, "state": row.state, "kind": row.task_type, "id": row.run_id, "result": counts or None,
        "error": error,
    }


@jobs.command("run")
@click.argument("kind")
@click.option("--payload", default="{}", help="a JSON object")
@click.option("--wait", is_flag=True, help="wait for the end; exit 1 if the run failed")
def run_job(kind: str, payload: str, wait: bool) -> None:
    """Queue a run."""
    from app.job_commands import start_and_wait

    try:
        parsed = json.loads(payload)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise Refused("--payload should be a JSON object")
    outcome = run(start_and_wait(kind, parsed, wait=wait))
    click.echo(outcome.text, err=not outcome.is_good)
    if not outcome.is_good:
        raise SystemExit(1)


@cli.group()
def flags() -> None:
    """Features that can be switched at run time."""


@flags.command("list")
@click.option("--json", "as_json", is_flag=True, help="for programs")
def list_flags(as_json: bool) -> None:
    """Every feature, whether it is on, and why."""
    from app.services import flags as service

    rows = run(service.list_flags())
    print_list([asdict(row) for row in rows] if as_json else [_flag_line(row) for row in rows], as_json=as_json)


def _flag_line(flag: Any) -> dict[str, Any]:
    if flag.is_killed:
        why = "switched off in the environment"
    elif flag.everywhere is None:
        why = "by default"
    else:
        why = "set by an admin"
    others = [f"{'on' if other.enabled else 'off'} for {other.organization}" for other in flag.organizations]
    return {"state": f"{'on' if flag.is_on else 'off':3}", "name": flag.name, "why": "; ".join([why, *others])}


@flags.command("set")
@click.argument("name")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--organization", help="for this organization only")
def set_flag(name: str, state: str, organization: str | None) -> None:
    """Switch a feature on or off."""
    from app.services import flags as service

    async def work() -> None:
        organization_id = await _organization_id(organization) if organization else None
        await service.set_flag(name, state == "on", organization_id=organization_id, actor=None, actor_label=ACTOR)

    try:
        run(work())
    except service.UnknownFlag as error:
        raise Refused(str(error)) from None
    click.echo(f"{name} is {state}{f' for {organization}' if organization else ''}.")


async def _organization_id(name: str) -> UUID:
    from app import database

    found = await database.fetchval("select id from organizations where lower(name) = lower($1)", name)
    if found is None:
        raise Refused(f"There is no organization named {name}.")
    return UUID(str(found))


@cli.command()
@click.option("--port", default=8100, type=click.IntRange(1, 65535), help="port on 127.0.0.1 (default 8100)")
@click.option("--speed", default=60.0, type=click.FloatRange(0, 100_000), help="times faster than life (default 60)")
@click.option("--state-file", type=click.Path(dir_okay=False, path_type=Path), help="keep what happens across restarts")
@click.option("--seed", default=7, help="another league for another number")
@click.option("--competitors", default=72, type=click.IntRange(1, 100_000), help="size of the league (default 72)")
def sandbox(port: int, speed: float, state_file: Path | None, seed: int, competitors: int) -> None:
    """Run the vendor sandbox: the Game Platform's HTTP with a demo league, and faults on request."""
    from app.sandbox.server import serve as serve_sandbox

    serve_sandbox(port, speed=speed, state_file=state_file, seed=seed, competitors=competitors)


@cli.command()
def demo() -> None:
    """Load the vendor sandbox's demo league and print how to sign in."""
    from app import demo as league

    async def work() -> list[str]:
        return await league.tell(await league.load(settings_or_refuse().game_platform_base_url, _var_dir()))

    try:
        click.echo("\n".join(run(work())))
    except league.NoSandbox as error:
        raise Refused(str(error)) from None


@cli.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", required=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(name: str | None, arguments: tuple[str, ...]) -> None:
    """Measure: without a name, lists the benches."""
    import importlib

    names = sorted(path.stem for path in (ROOT / "bench").glob("[a-z]*.py"))
    if name is None:
        click.echo("\n".join(names))
    elif name in names:
        importlib.import_module(f"bench.{name}").main(list(arguments))
    else:
        raise Refused(f"There is no bench named {name}. There are: {', '.join(names)}")


def main() -> int:
    """Runs one command; whatever is wrong with the input is one line on standard error and a status that is not 0."""
    try:
        status = cli.main(prog_name="bin/sideline", standalone_mode=False)
    except click.ClickException as error:
        hint = " See --help." if isinstance(error, click.UsageError) else ""
        click.echo(f"{error.format_message()}{hint}", err=True)
        return error.exit_code
    except click.Abort:
        return 130
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    sys.exit(main())
