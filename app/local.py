"""What `bin/run` keeps in `var/`: the secrets made once, and where it runs, so that the command line finds it."""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Running:
    """The `bin/run` of this checkout: its process, its address and what it told its children."""

    pid: int
    address: str
    environment: dict[str, str] = field(default_factory=dict)


def write_private(path: Path, text: str) -> None:
    """A file for this user's eyes only, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    unfinished.replace(path)


def make_secrets(var_dir: Path) -> dict[str, str]:
    """SECRET_KEY and ENCRYPTION_KEYS, made on the first start and kept."""
    path = var_dir / "secrets.json"
    if not path.exists():
        key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        write_private(path, json.dumps({"SECRET_KEY": secrets.token_urlsafe(48), "ENCRYPTION_KEYS": key}))
    return dict(json.loads(path.read_text()))


def take_lock(var_dir: Path) -> IO[str] | None:
    """The lock that says that one `bin/run` is at work here; None where another holds it. Keep the file open."""
    var_dir.mkdir(parents=True, exist_ok=True)
    file = (var_dir / "run.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def announce(var_dir: Path, running: Running) -> None:
    write_private(var_dir / "run.json", json.dumps(asdict(running)))


def retract(var_dir: Path) -> None:
    (var_dir / "run.json").unlink(missing_ok=True)


def find_running(var_dir: Path) -> Running | None:
    """The `bin/run` at work in this checkout, as it announced itself."""
    try:
        running = Running(**json.loads((var_dir / "run.json").read_text()))
        os.kill(running.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return running


def adopt_environment(var_dir: Path, environment: Mapping[str, str]) -> None:
    """Gives a command the variables of this checkout's own installation, where the operator has not set them."""
    known: dict[str, str] = {}
    if (var_dir / "secrets.json").exists():
        known |= make_secrets(var_dir)
    if running := find_running(var_dir):
        known |= running.environment
    for name, value in known.items():
        if not environment.get(name):
            os.environ[name] = value
