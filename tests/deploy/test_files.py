"""The ready files of deploy/, each held against its own tool or schema, and run where that can be."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import kubernetes_validate
import pytest
import pytest_asyncio
import yaml
from cfnlint.api import lint_file

from app import database
from app.services.cron import next_slot
from tests.conftest import SERVER, _drop, address_of
from tests.deploy.conftest import SECRET

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
CRONTAB = DEPLOY / "cron/sideline.crontab"
ASSIGNMENT = re.compile(r"([A-Z_]+)=(.*)")
NOW = "update job_schedules set next_run_at = now() - interval '1 min' where name = 'job_cleanup'"


def crontab() -> tuple[dict[str, str], str, str]:
    """Its settings, and the expression and the command of its only job."""
    lines = [line for line in CRONTAB.read_text().splitlines() if line.strip() and not line.startswith("#")]
    settings = {match[1]: match[2] for line in lines if (match := ASSIGNMENT.fullmatch(line))}
    (job,) = [line for line in lines if not ASSIGNMENT.fullmatch(line)]
    *expression, command = job.split(None, 5)
    return settings, " ".join(expression), command


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_no_file_holds_a_secret(path: Path) -> None:
    for presented in re.findall(r"[Bb]earer\s+(\S+)", path.read_text()):
        assert not re.fullmatch(r"[A-Za-z0-9_\-.]{16,}", presented.strip("\"'")), presented


def test_cron_reads_its_file() -> None:
    settings, expression, command = crontab()
    assert next_slot(expression, "UTC", datetime.now(UTC)) and "%" not in command
    assert settings["SIDELINE_URL"].startswith("https://")
    assert CRONTAB.read_text().endswith("\n")


@pytest.mark.skipif(not shutil.which("crontab"), reason="this machine has no crontab command")
def test_the_crontab_command_takes_the_file() -> None:
    checked = subprocess.run(["crontab", "-T", str(CRONTAB)], capture_output=True, text=True)
    if "invalid option" in checked.stderr:
        pytest.skip("this crontab command cannot check a file")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.skipif(not shutil.which("curl"), reason="this machine has no curl")
async def test_the_line_of_cron_starts_what_is_due(server: str, tmp_path: Path) -> None:
    header = tmp_path / "scheduler.header"
    header.write_text(f"Authorization: Bearer {SECRET}\n")
    await database.execute(NOW)
    settings, _expression, command = crontab()
    environment = {**os.environ, **settings, "SIDELINE_URL": server, "SIDELINE_HEADER": str(header)}
    done = await asyncio.to_thread(
        subprocess.run, [settings["SHELL"], "-c", command], env=environment, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert await database.fetchval("select count(*) from job_runs where kind = 'job_cleanup'") == 1


@pytest.mark.skipif(not shutil.which("curl"), reason="this machine has no curl")
async def test_the_line_of_cron_says_so_where_the_secret_is_wrong(server: str, tmp_path: Path) -> None:
    header = tmp_path / "scheduler.header"
    header.write_text("Authorization: Bearer wrong\n")
    settings, _expression, command = crontab()
    environment = {**os.environ, **settings, "SIDELINE_URL": server, "SIDELINE_HEADER": str(header)}
    done = await asyncio.to_thread(
        subprocess.run, ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, timeout=30
    )
    assert done.returncode != 0 and "401" in done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="this machine has no systemd-analyze")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """With this checkout in the place of /opt/sideline: it looks whether the programs are there."""
    for path in (DEPLOY / "systemd").iterdir():
        (tmp_path / path.name).write_text(path.read_text().replace("/opt/sideline", str(ROOT)))
    units = sorted(str(path) for path in tmp_path.iterdir())
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=60
    )
    about_ours = [line for line in checked.stderr.splitlines() if "sideline" in line]
    assert about_ours == [] and checked.returncode == 0, checked.stderr


@pytest_asyncio.fixture
async def postgres() -> AsyncIterator[asyncpg.Connection]:
    """A database with the few functions of the extensions that the file calls."""
    name = f"sideline_deploy_{os.getpid()}"
    server = await asyncpg.connect(os.environ[SERVER])
    await server.execute(f'create database "{name}"')
    await server.close()
    connection = await asyncpg.connect(address_of(name))
    await connection.execute("""
        create schema cron; create schema net; create schema vault;
        create table cron.job (jobname text primary key, schedule text, command text);
        create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql as
            $$ insert into cron.job values ($1, $2, $3)
               on conflict (jobname) do update set schedule = $2, command = $3 returning 1 $$;
        create table net.requests (url text, body jsonb, headers jsonb);
        create function net.http_post(url text, body jsonb default '{}', params jsonb default '{}',
            headers jsonb default '{}', timeout_milliseconds int default 5000) returns bigint language sql as
            $$ insert into net.requests values (url, body, headers) returning 1 $$;
        create table vault.decrypted_secrets (name text, decrypted_secret text);
        insert into vault.decrypted_secrets values ('sideline_scheduler', 'from the vault');
    """)
    yield connection
    await connection.close()
    await _drop(name)


async def test_postgresql_runs_what_pg_cron_is_given(postgres: asyncpg.Connection) -> None:
    for _ in range(2):
        await postgres.execute((DEPLOY / "pg_cron/tick.sql").read_text())
    (job,) = await postgres.fetch("select jobname, schedule, command from cron.job")
    assert (job["jobname"], job["schedule"]) == ("sideline-tick", "* * * * *")
    await postgres.execute(job["command"])
    request = await postgres.fetchrow("select url, headers from net.requests")
    assert request and request["url"].endswith("/api/jobs/tick")
    assert json.loads(request["headers"])["Authorization"] == "Bearer from the vault"


@pytest.mark.parametrize("name", ["tick.yaml", "sideline.yaml"])
def test_kubernetes_takes_the_files(name: str) -> None:
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text()))
    for document in documents:
        kubernetes_validate.validate(document, "1.31", strict=True)
    assert {"CronJob"} <= {each["kind"] for each in documents} or name == "sideline.yaml"


def test_kubernetes_gives_the_secret_as_a_file() -> None:
    job = yaml.safe_load((DEPLOY / "kubernetes/tick.yaml").read_text())["spec"]["jobTemplate"]
    pod = job["spec"]["template"]["spec"]
    assert pod["volumes"][0]["secret"]["secretName"] == "sideline-scheduler"
    assert f"@{pod['containers'][0]['volumeMounts'][0]['mountPath']}/header" in pod["containers"][0]["args"]


def test_cloudformation_takes_the_template() -> None:
    assert [str(match) for match in lint_file(DEPLOY / "aws/tick.yaml")] == []
    assert "{{resolve:secretsmanager:" in (DEPLOY / "aws/tick.yaml").read_text()


def test_the_workflow_reads_the_secret_and_presents_it() -> None:
    steps: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "google-cloud/workflow.yaml").read_text())["main"]["steps"]
    read, tick, _finish = (next(iter(step.values())) for step in steps)
    assert read["call"] == "googleapis.secretmanager.v1.projects.secrets.versions.accessString"
    assert tick["call"] == "http.post" and tick["args"]["url"].endswith('"/api/jobs/tick"}')
    assert tick["args"]["headers"]["Authorization"] == f'${{"Bearer " + {read["result"]}}}'


@pytest.mark.parametrize(("exists", "verb"), [("0", "update"), ("1", "create")])
def test_the_installer_asks_gcloud_for_a_job_once_a_minute(tmp_path: Path, exists: str, verb: str) -> None:
    """In the place of gcloud stands a program that notes what it was asked."""
    gcloud = tmp_path / "gcloud"
    gcloud.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$*" >> {tmp_path}/asked\ncase "$*" in *describe*) exit {exists};; esac\n'
    )
    gcloud.chmod(0o700)
    path = f"{tmp_path}:{os.environ['PATH']}"
    environment = {"PATH": path, "PROJECT": "p", "REGION": "r", "SIDELINE_URL": "https://s"}
    subprocess.run(["/bin/sh", str(DEPLOY / "google-cloud/install.sh")], env=environment, check=True, timeout=30)
    deploy, _describe, job = (tmp_path / "asked").read_text().splitlines()
    assert "--source" in deploy and Path(deploy.split("--source ")[1].split()[0]).is_file()
    assert job.startswith(f"scheduler jobs {verb} http sideline-tick") and "--schedule * * * * *" in job
    assert "Bearer" not in deploy + job
