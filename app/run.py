"""`bin/run`: PostgreSQL, web and worker as children of one process that stops all of them, however it ends.

Each child runs in a session of its own, so that Ctrl-C reaches only this process, which then stops them in order:
web and worker first, the sandbox, PostgreSQL last. The kernel tells the children when this process is killed outright.
A child that dies is started again.
"""

import argparse
import asyncio
import contextlib
import ctypes
import importlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app import embedded_postgres, local

if TYPE_CHECKING:
    from app.settings import Settings

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_SECONDS = 15
READY_SECONDS = 60
DATABASE_ATTEMPTS = 10
SANDBOX_REQUESTS_PER_MINUTE = "6000"
SANDBOX_LOOK_MINUTES = "1,1,3"


stop_requests: list[int] = []
"""The signals that asked this process to stop."""


class StopRequested(KeyboardInterrupt):
    """Ctrl-C, SIGTERM, or the terminal has gone. A KeyboardInterrupt, because asyncio swallows whatever else a
    signal handler raises in its callbacks."""


@dataclass
class Child:
    """A process of ours that is started again when it dies."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    deaths: int = field(default=0)

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command, env=dict(self.environment), stdin=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=_stop_with_parent,
        )

    def restart_if_dead(self) -> None:
        if self.process is None or self.process.poll() is None:
            return
        lived_seconds = time.monotonic() - self.started_at
        self.deaths = 0 if lived_seconds > 30 else self.deaths + 1
        if lived_seconds < min(self.deaths, 10) * 0.5:
            return
        say(f"The {self.name} process ended (exit {self.process.returncode}); starting it again.")
        self.start()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait_until_stopped(self, seconds: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(seconds, 0.1))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class House:
    """Everything that this process started."""

    var_dir: Path
    environment: dict[str, str]
    children: list[Child] = field(default_factory=list)
    server: "subprocess.Popen[bytes] | None" = None

    def start_database(self) -> None:
        place = embedded_postgres.locate(self.var_dir)
        self.server = embedded_postgres.start(place)
        self.environment["DATABASE_URL"] = place.url

    def start(self, name: str, *arguments: str) -> None:
        child = Child(name, [sys.executable, "-m", "app.cli", name, *arguments], self.environment)
        child.start()
        self.children.append(child)

    def watch(self) -> None:
        """Until a stop is requested: what dies is started again."""
        while not stop_requests:
            time.sleep(0.5)
            if self.server is not None and self.server.poll() is not None:
                self._start_database_again(self.server.returncode)
            for child in self.children:
                child.restart_if_dead()
        raise StopRequested

    def _start_database_again(self, exit_status: int) -> None:
        """What it left behind in memory may take a moment to go."""
        say(f"PostgreSQL ended (exit {exit_status}); starting it again.")
        for _ in range(DATABASE_ATTEMPTS):
            try:
                return self.start_database()
            except embedded_postgres.EmbeddedPostgresError as error:
                reason = error
            time.sleep(1)
        raise StartFailed(f"PostgreSQL does not start again, and Sideline stops with it. {reason}")

    def stop(self) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            child.stop()
        for child in self.children:
            child.wait_until_stopped(deadline - time.monotonic())
        if self.server is not None:
            embedded_postgres.stop(self.server)
        local.retract(self.var_dir)


def main() -> int:
    from app.settings import SettingsError, load_settings

    arguments = parse(sys.argv[1:])
    for number in STOP_SIGNALS:
        signal.signal(number, _request_stop)
    try:
        settings = load_settings()
    except SettingsError as error:
        return refuse(str(error), status=2)
    lock = local.take_lock(settings.var_dir)
    if lock is None:
        running = local.find_running(settings.var_dir)
        return refuse(f"Sideline is already running here: {running.address if running else 'it is just starting'}")
    with lock:
        return run(settings, arguments)


def run(settings: "Settings", arguments: argparse.Namespace) -> int:
    house = House(settings.var_dir, _environment(settings.var_dir, arguments.port))
    try:
        if not _is_free(arguments.port):
            raise StartFailed(f"Port {arguments.port} is taken by another program. Choose another: bin/run --port N")
        if not settings.database_url:
            house.start_database()
        has_demo = not arguments.no_demo and not settings.any_vendor_configured
        told = _start_sandbox(house) if has_demo else {}
        os.environ.update(house.environment)
        asyncio.run(_prepare(house.environment["DATABASE_URL"]))
        house.start("serve", "--port", str(arguments.port))
        house.start("worker")
        address = house.environment["BASE_URL"]
        local.announce(house.var_dir, local.Running(os.getpid(), address, told | {"BASE_URL": address}))
        importlib.import_module("app.first_start")  # takes as long as the children need to come up
        _wait_until_ready(f"http://127.0.0.1:{arguments.port}/health/ready", house.children)
        asyncio.run(_greet(address, house.var_dir, has_demo=has_demo))
        house.watch()
    except StopRequested:
        say("Stopping …")
    except (embedded_postgres.EmbeddedPostgresError, StartFailed) as error:
        house.stop()  # first: the reason should be the last line, below whatever the others say when they end
        return refuse(str(error))
    finally:
        house.stop()
    return 0


class StartFailed(Exception):
    """The product did not come up; the text says what is wrong."""


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/run", description="Runs Sideline from this checkout until Ctrl-C.")
    parser.add_argument("--port", type=_port, default=8000, help="port of the web server (default 8000)")
    parser.add_argument("--no-demo", action="store_true", help="start without the vendor sandbox and its demo league")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65534:
        raise argparse.ArgumentTypeError("should be a whole number from 1 to 65534")
    return int(text)


def refuse(text: str, status: int = 1) -> int:
    sys.stderr.write(f"{text}\n")
    return status


def say(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may have gone; stopping goes on
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def _request_stop(number: int, frame: object) -> None:
    """Raised where it interrupts; where Python swallows it, as in a destructor, `watch` finds it noted."""
    stop_requests.append(number)
    raise StopRequested


def _stop_with_parent() -> None:
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def _environment(var_dir: Path, port: int) -> dict[str, str]:
    """The children's environment: the operator's, and what is made here where the operator set nothing."""
    made = local.make_secrets(var_dir) | {"BASE_URL": f"http://127.0.0.1:{port}", "LOG_LEVEL": "WARNING"}
    return made | {name: value for name, value in os.environ.items() if value or name not in made}


def _start_sandbox(house: House) -> dict[str, str]:
    """Starts the vendor sandbox on a free port; answers the settings that point the product at it."""
    port = str(_free_port())
    house.start("sandbox", "--port", port, "--state-file", str(house.var_dir / "sandbox.state"))
    told = {
        "GAME_PLATFORM_BASE_URL": f"http://127.0.0.1:{port}/integrations/syned/v1",
        "GAME_PLATFORM_API_TOKEN": "sandbox-token",
        "GAME_PLATFORM_MAX_REQUESTS_PER_MINUTE": SANDBOX_REQUESTS_PER_MINUTE,
        "GAME_PLATFORM_LOOK_MINUTES": SANDBOX_LOOK_MINUTES,
    }
    house.environment |= told
    return told


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _prepare(url: str) -> None:
    """Brings the database to the newest migration; on most starts there is nothing to do."""
    import asyncpg

    from app import migrations

    try:
        await migrations.create_database(url)
        if not await migrations.is_up_to_date(url):
            await migrations.migrate(url)
    except OSError as error:
        raise StartFailed(f"The database of DATABASE_URL does not answer ({error}). Is its server running?") from None
    except asyncpg.PostgresError as error:
        raise StartFailed(f"The database of DATABASE_URL refuses: {error}") from None
    except migrations.MigrationError as error:
        raise StartFailed(f"The database could not be migrated: {error}") from None


def _wait_until_ready(url: str, children: list[Child]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if _answers(url):
            return
        for child in children:
            if child.process is not None and child.process.poll() not in (None, 0):
                raise StartFailed(f"The {child.name} process did not start; its message is above.")
        time.sleep(0.05)
    raise StartFailed(f"The web server did not answer within {READY_SECONDS} s.")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 (our own loopback address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


async def _greet(address: str, var_dir: Path, *, has_demo: bool) -> None:
    """Prints where it is and how to sign in; on the first start this also makes who signs in."""
    from app import database, first_start, queue

    await database.open_pool(os.environ["DATABASE_URL"], max_size=4)
    lines = await (first_start.with_demo(var_dir) if has_demo else first_start.with_admin_link())
    await queue.close_queue()
    await database.close_pool()
    say("\n".join(["", f"Sideline is at {address}", *lines, "Ctrl-C stops it.", ""]))


if __name__ == "__main__":
    sys.exit(main())
