"""The real vendor sandbox in a process of its own, on a free port."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "sandbox-token"


@dataclass(frozen=True)
class SandboxHandle:
    """`base_url` is what GAME_PLATFORM_BASE_URL takes; under `control_url` are /faults, /calls, /truth and so on."""

    base_url: str
    control_url: str
    process: "subprocess.Popen[str]"

    def stop(self) -> int:
        self.process.terminate()
        return self._reap()

    def kill(self) -> int:
        self.process.kill()
        return self._reap()

    def _reap(self) -> int:
        status = self.process.wait(timeout=10)
        if self.process.stdout:
            self.process.stdout.close()
        return status


def start_sandbox(
    state_file: Path | None = None, speed: float = 0, *, league: bool = True, seed: int = 7, competitors: int = 72
) -> SandboxHandle:
    """Answers once the sandbox listens. Without `league` the world is blank: add users by POST /sandbox/users."""
    command = [sys.executable, "-m", "app.sandbox", "--speed", str(speed), "--seed", str(seed)]
    command += ["--state-file", str(state_file)] if state_file else []
    command += ["--competitors", str(competitors)] if league else ["--blank"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    line = process.stdout.readline()
    base_url = line[line.index("http://") :].strip()
    address = urlsplit(base_url)
    return SandboxHandle(base_url, f"{address.scheme}://{address.netloc}/sandbox", process)
