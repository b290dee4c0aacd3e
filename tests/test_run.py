"""`bin/run` as a newcomer meets it: one command, and nothing left behind however it ends."""

import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.xdist_group("run")  # one house at a time

NOT_FOR_THE_CHILD = ("DATABASE_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "SIDELINE_VAR_DIR", "BASE_URL")


class Started:
    """One `bin/run` with a `var/` of its own."""

    def __init__(self, var_dir: Path, *arguments: str, terminal: int | None = None) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in NOT_FOR_THE_CHILD}
        self.var_dir = var_dir
        self.port = free_port()
        self.output = var_dir.parent / f"{var_dir.name}.{time.monotonic_ns()}.log"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.run", "--port", str(self.port), *arguments], cwd=ROOT, stdin=terminal,
            stdout=self.output.open("wb"), stderr=subprocess.STDOUT, start_new_session=True,
            env=environment | {"SIDELINE_VAR_DIR": str(var_dir)},
        )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_until_said(self, words: str, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if words in self.said:
                return self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.02)
        raise AssertionError(f"did not say {words!r}: {self.said}")

    def wait_until_ready(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = httpx.get(f"http://127.0.0.1:{self.port}/health/ready")
            if answer.status_code == 200:
                return
            time.sleep(0.1)
        raise AssertionError(f"was not ready again: {answer.text} {self.said}")

    def family(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children(recursive=True))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def gone(processes: list[psutil.Process], seconds: float = 10) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not alive


@pytest.fixture(scope="module")
def var_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run") / "var"


@pytest.fixture(scope="module")
def first(var_dir: Path) -> Iterator[Started]:
    started = Started(var_dir)
    yield started
    started.process.kill()
    started.process.wait()


def test_it_prints_its_address_and_two_sign_ins_that_work(first: Started) -> None:
    said = first.wait_until_said("Ctrl-C stops it.")
    assert f"Sideline is at http://127.0.0.1:{first.port}" in said
    sign_ins = re.findall(r"Sign in as (coach|admin): (\S+) with (\S+)", said)
    assert [role for role, _, _ in sign_ins] == ["coach", "admin"]
    for _, email, password in sign_ins:
        with httpx.Client(base_url=f"http://127.0.0.1:{first.port}", follow_redirects=False) as browser:
            form = browser.get("/login").text
            token = re.search(r'name="_csrf_token"[^>]*value="([^"]+)"', form)
            assert token
            answer = browser.post("/login", data={"email": email, "password": password, "_csrf_token": token[1]})
            assert answer.status_code == 303, answer.text
            assert browser.get("/leaderboard").status_code == 200


def test_a_second_one_says_where_the_first_one_is(first: Started) -> None:
    first.wait_until_said("Ctrl-C stops it.")
    second = Started(first.var_dir)
    assert second.process.wait(20) == 1
    assert second.said.strip() == f"Sideline is already running here: http://127.0.0.1:{first.port}"


def test_the_command_line_finds_the_running_one(first: Started) -> None:
    first.wait_until_said("Ctrl-C stops it.")
    environment = {name: value for name, value in os.environ.items() if name not in NOT_FOR_THE_CHILD}
    listed = subprocess.run(
        [sys.executable, "-m", "app.cli", "jobs", "list", "--json"], cwd=ROOT, capture_output=True, text=True,
        env=environment | {"SIDELINE_VAR_DIR": str(first.var_dir)}, timeout=60,
    )
    assert listed.returncode == 0, listed.stderr
    assert "game_platform_onboarding" in listed.stdout


def test_a_killed_worker_is_started_again(first: Started) -> None:
    first.wait_until_said("Ctrl-C stops it.")
    worker = next(child for child in first.family() if child.cmdline()[-1] == "worker")
    worker.kill()
    first.wait_until_said("The worker process ended", seconds=15)
    assert first.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_and_a_second_start_is_fast(
    first: Started, var_dir: Path, number: signal.Signals
) -> None:
    if first.process.poll() is None:
        first.wait_until_said("Ctrl-C stops it.")
        first.process.terminate()
        first.process.wait(30)
    began = time.monotonic()
    again = Started(var_dir)
    again.wait_until_said("Ctrl-C stops it.")
    seconds = time.monotonic() - began
    family = again.family()
    assert any("postgres" in child.name() for child in family)
    again.process.send_signal(number)
    assert again.process.wait(30) == 0
    assert gone(family)
    assert seconds < 10, "3 s is the promise on a quiet machine; see docs/benchmarks.md"


def test_killed_outright_it_leaves_nothing_behind_and_starts_again(tmp_path: Path) -> None:
    killed = Started(tmp_path / "var", "--no-demo")
    killed.wait_until_said("Ctrl-C stops it.")
    family = killed.family()
    killed.process.kill()
    killed.process.wait()
    assert gone(family)
    again = Started(tmp_path / "var", "--no-demo")
    again.wait_until_said("Ctrl-C stops it.")
    again.process.terminate()
    assert again.process.wait(30) == 0


def test_without_the_demo_it_prints_the_first_admins_link_and_holds_no_demo_people(tmp_path: Path) -> None:
    plain = Started(tmp_path / "var", "--no-demo")
    said = plain.wait_until_said("Ctrl-C stops it.")
    link = re.search(r"First admin: \S+ Set the password within 24 hours: (http\S+)", said)
    assert link
    assert httpx.get(link[1]).status_code == 200
    plain.process.terminate()
    assert plain.process.wait(30) == 0


def test_it_stops_when_its_terminal_goes(tmp_path: Path) -> None:
    """The terminal is a real one: closing its other end is what closing the window does."""
    pid, terminal = pty.fork()
    if pid == 0:
        for name in NOT_FOR_THE_CHILD:
            os.environ.pop(name, None)
        os.environ["SIDELINE_VAR_DIR"] = str(tmp_path / "var")
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "app.run", "--no-demo", "--port", str(free_port())])
    said = b""
    while b"Ctrl-C stops it." not in said:
        said += os.read(terminal, 1000)
    family = psutil.Process(pid).children(recursive=True)
    os.close(terminal)
    os.waitpid(pid, 0)
    assert gone(family)


def test_a_killed_postgresql_is_started_again(tmp_path: Path) -> None:
    started = Started(tmp_path / "var", "--no-demo")
    started.wait_until_said("Ctrl-C stops it.")
    family = started.family()
    next(child for child in family if child.name() == "postgres" and child.ppid() == started.process.pid).kill()
    started.wait_until_said("PostgreSQL ended (exit -9); starting it again.")
    started.wait_until_ready()
    family += started.family()
    started.process.terminate()
    assert started.process.wait(30) == 0
    assert gone(family)


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = Started(tmp_path / "var", "--port", port)
        assert refused.process.wait(20) == 1
    assert refused.said.strip() == f"Port {port} is taken by another program. Choose another: bin/run --port N"


def test_no_permission_outside_the_checkout_is_changed(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    before = [folder.stat().st_mode for folder in (private, *private.parents)]
    started = Started(private / "var", "--no-demo")
    started.wait_until_said("Ctrl-C stops it.")
    started.process.terminate()
    assert started.process.wait(30) == 0
    assert [folder.stat().st_mode for folder in (private, *private.parents)] == before
