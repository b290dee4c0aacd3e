"""The sandbox as a process: starting, stopping, and what survives it."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox.server import TOKEN
from tests.sandbox_server import ROOT, SandboxHandle, start_sandbox

HEADERS = {"authorization": f"Bearer {TOKEN}"}


def truth(sandbox: SandboxHandle) -> Any:
    return httpx.get(f"{sandbox.control_url}/truth").json()


def fill(sandbox: SandboxHandle) -> None:
    """One effect of every kind, and a solve."""
    coach = {"first_name": "C", "last_name": "C", "email": "c@example.com", "role": "coach", "syned_user_id": "coach-1"}
    team = {"syned_coach_user_id": "coach-1", "team_name": "T", "affiliation": "A", "division": "college"}
    member = {"syned_user_id": "user-1", "syned_team_id": "team-1"}
    with httpx.Client(base_url=sandbox.base_url, headers=HEADERS) as client:
        client.post("/users", json=coach)
        client.post(f"{sandbox.control_url}/users", json={"syned_user_id": "user-1"})
        for team_id in ("team-1", "team-2"):
            client.post("/teams", json=team | {"syned_team_id": team_id})
        client.post("/teams/delete", json={"syned_team_id": "team-2"})
        client.post("/users/assign_team", json=member)
        client.post("/users/delete_assignment", json=member)
        client.post("/users/assign_team", json=member)
        client.post(f"{sandbox.control_url}/solves", json={"syned_user_id": "user-1"})
        client.post(f"{sandbox.control_url}/users/coach-1/status", json={"status": "denied"})


def told(sandbox: SandboxHandle) -> dict[str, Any]:
    with httpx.Client(base_url=sandbox.base_url, headers=HEADERS) as client:
        return {
            "truth": truth(sandbox),
            "effects": client.get(f"{sandbox.control_url}/effects").json(),
            "assignments": client.get("/users/get_team_assignments").json(),
            "coach": client.get("/users", params={"syned_user_id": "coach-1"}).json(),
            "team": client.post("/teams/delete", json={"syned_team_id": "team-1"}).json(),
        }


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_at_once_prints_one_line_and_stops_cleanly(stop: signal.Signals) -> None:
    started = time.monotonic()
    sandbox = start_sandbox()
    assert httpx.get(f"{sandbox.control_url}/league").status_code == 200
    assert time.monotonic() - started < 3
    sandbox.process.send_signal(stop)
    output, _ = sandbox.process.communicate(timeout=5)
    assert (sandbox.process.returncode, output) == (0, "")


def test_a_hanging_call_does_not_keep_it_from_stopping() -> None:
    sandbox = start_sandbox(league=False)
    httpx.post(f"{sandbox.control_url}/faults", json=[{"kind": "hang", "seconds": 600}])
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{sandbox.base_url}/", timeout=0.2)
    assert sandbox.stop() == 0


@pytest.mark.parametrize("end", [SandboxHandle.stop, SandboxHandle.kill])
def test_everything_survives_a_restart(tmp_path: Path, end: Any) -> None:
    first = start_sandbox(tmp_path / "state", league=False)
    fill(first)
    before = told(first)
    end(first)
    second = start_sandbox(tmp_path / "state", league=False)
    try:
        assert told(second) == before
    finally:
        second.stop()


def test_a_torn_last_line_is_forgotten_and_the_rest_goes_on(tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = start_sandbox(state, league=False)
    fill(first)
    before = truth(first)
    first.kill()
    with state.open("ab") as file:
        file.write(b'{"what":"user_solved","at":1')
    second = start_sandbox(state, league=False)
    assert truth(second) == before
    solve = httpx.post(f"{second.control_url}/solves", json={"syned_user_id": "user-1"}).json()
    second.kill()
    third = start_sandbox(state, league=False)
    try:
        assert truth(third)["user-1"]["challenge_solves"] == [*before["user-1"]["challenge_solves"], solve]
    finally:
        third.stop()


def test_a_living_league_keeps_what_it_did_when_it_is_killed(tmp_path: Path) -> None:
    sandbox = start_sandbox(tmp_path / "state", speed=24_000)
    time.sleep(1)
    httpx.post(f"{sandbox.control_url}/pause")
    before = truth(sandbox)
    sandbox.kill()
    again = start_sandbox(tmp_path / "state")
    try:
        assert truth(again) == before
        assert set(before) == {"legacy-0002", "legacy-0038"}
        assert any(user["last_accessed_unix_timestamp"] > time.time() - 60 for user in before.values())
    finally:
        again.stop()


def test_pause_holds_the_league_still_and_resume_lets_it_play(tmp_path: Path) -> None:
    sandbox = start_sandbox(speed=24_000)
    try:
        httpx.post(f"{sandbox.control_url}/pause")
        before = truth(sandbox)
        time.sleep(0.5)
        assert truth(sandbox) == before
        httpx.post(f"{sandbox.control_url}/resume")
        time.sleep(1)
        assert truth(sandbox) != before
    finally:
        sandbox.stop()


def test_reset_begins_a_new_world_for_good(tmp_path: Path) -> None:
    sandbox = start_sandbox(tmp_path / "state", league=False)
    fill(sandbox)
    httpx.post(f"{sandbox.control_url}/faults", json=[{"kind": "reset"}])
    httpx.post(f"{sandbox.control_url}/reset", json={"league": True})
    for _ in range(2):
        assert set(truth(sandbox)) == {"legacy-0002", "legacy-0038"}
        assert httpx.get(f"{sandbox.control_url}/calls").json() == []
        assert httpx.get(f"{sandbox.base_url}/").status_code == 200
        sandbox.stop()
        sandbox = start_sandbox(tmp_path / "state", league=False)
    sandbox.stop()


def refused_start(*arguments: str) -> str:
    command = [sys.executable, "-m", "app.sandbox", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
    assert ended.returncode == 1
    return ended.stderr


def test_a_port_that_is_taken_is_told_in_one_line(blank: SandboxHandle) -> None:
    port = str(httpx.URL(blank.base_url).port)
    assert refused_start("--port", port).count("\n") == 1


@pytest.mark.parametrize("content", [b"# Notes\nBuy milk", b"milk", b"5\n", b'{"a": 1}\n', b"\xff\xfe\n"])
def test_a_file_of_somebody_else_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    notes = tmp_path / "notes"
    notes.write_bytes(content)
    assert "was not written by the sandbox" in refused_start("--state-file", str(notes))
    assert notes.read_bytes() == content
