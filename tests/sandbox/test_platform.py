"""What the platform answers, operation by operation."""

from typing import Any

import httpx
import jsonschema
import pytest

from app.sandbox.contract import OPERATIONS
from app.sandbox.server import create_sandbox
from tests.sandbox.conftest import NOW, STUDENT, TEAM, Clock

CONTROL = "http://sandbox/sandbox"
STUDENT_ID = {"syned_user_id": "user-1"}
ON_TEAM = {"syned_team_id": "team-1", "syned_user_id": "user-1"}


def checked(operation: str, answer: httpx.Response) -> Any:
    """The body of a success that is as the contract says."""
    assert answer.status_code == OPERATIONS[operation].status, answer.text
    jsonschema.validate(answer.json(), OPERATIONS[operation].answer)
    return answer.json()


def refused(status: int, detail: str, answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()) == (status, {"detail": detail})


async def script(platform: httpx.AsyncClient, **solve: object) -> dict[str, Any]:
    answer = await platform.post(f"{CONTROL}/solves", json=STUDENT_ID | solve)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def decide(platform: httpx.AsyncClient, status: str, user_id: str = "user-1") -> None:
    await platform.post(f"{CONTROL}/users/{user_id}/status", json={"status": status})


@pytest.mark.parametrize(
    ("header", "status", "detail"),
    [("", 403, "Not authenticated"), ("Basic abc", 403, "Not authenticated"), ("Bearer wrong", 401, "Invalid token")],
)
async def test_a_call_needs_the_token(platform: httpx.AsyncClient, header: str, status: int, detail: str) -> None:
    answer = await platform.get("/users", params=STUDENT_ID, headers={"authorization": header})
    refused(status, detail, answer)


async def test_the_index_needs_no_token(platform: httpx.AsyncClient) -> None:
    checked("index", await platform.get("/", headers={"authorization": ""}))


async def test_unknown_paths_and_methods_are_refused_as_elsewhere(platform: httpx.AsyncClient) -> None:
    refused(404, "Not Found", await platform.get("/nothing"))
    refused(405, "Method Not Allowed", await platform.put("/users"))


async def test_a_user_gets_an_assigned_name_and_is_found_with_201(platform: httpx.AsyncClient) -> None:
    found = checked("get_user", await platform.get("/users", params=STUDENT_ID))
    assert found["metactf_user_status"] == "approved"
    assert found["last_login_unix_timestamp"] is None
    name = found["metactf_username"]
    assert name[:2].isalpha() and name[2:].isdigit() and len(name) == 7


async def test_usernames_differ_and_a_preferred_one_is_ignored(platform: httpx.AsyncClient) -> None:
    names = set()
    for number in range(200):
        user = STUDENT | {"syned_user_id": f"n{number}", "email": f"n{number}@example.com", "preferred_username": "me"}
        names.add(checked("create_user", await platform.post("/users", json=user))["metactf_username"])
    assert len(names) == 200
    assert "me" not in names


async def test_an_unknown_user_is_not_found(platform: httpx.AsyncClient) -> None:
    for path in ("/users", "/scores/get_odl_scores", "/scores/get_flash_ctf_progress"):
        answer = await platform.get(path, params={"syned_user_id": "nobody"})
        refused(404, "User not found or not approved", answer)


async def test_scores_and_teams_wait_for_the_approval(platform: httpx.AsyncClient) -> None:
    await decide(platform, "pending_approval")
    answers = [
        await platform.get("/scores/get_odl_scores", params=STUDENT_ID),
        await platform.get("/scores/get_flash_ctf_progress", params=STUDENT_ID),
        await platform.post("/users/assign_team", json=ON_TEAM),
    ]
    for answer in answers:
        refused(403, "User not found or not approved", answer)
    found = checked("get_user", await platform.get("/users", params=STUDENT_ID))
    assert found["metactf_user_status"] == "pending_approval"


@pytest.mark.parametrize("taken", [{"syned_user_id": "user-1"}, {"email": "ADA@example.com"}])
async def test_an_id_or_address_that_is_taken_is_a_conflict(
    platform: httpx.AsyncClient, taken: dict[str, str]
) -> None:
    other = STUDENT | {"syned_user_id": "user-2", "email": "other@example.com"} | taken
    answer = await platform.post("/users", json=other)
    assert answer.status_code == 409
    assert answer.json()["detail"].endswith("already exists")


@pytest.mark.parametrize("coach", [None, "nobody", "user-1"])
async def test_students_and_teams_need_an_approved_coach(platform: httpx.AsyncClient, coach: str | None) -> None:
    student = STUDENT | {"syned_user_id": "user-2", "email": "b@example.com", "syned_coach_user_id": coach}
    refused(404, "Coach not found or not approved connection", await platform.post("/users", json=student))
    if coach:
        team = TEAM | {"syned_team_id": "team-2", "syned_coach_user_id": coach}
        refused(404, "Coach not found or not approved connection", await platform.post("/teams", json=team))


async def test_a_coach_who_is_not_approved_gets_no_students(platform: httpx.AsyncClient) -> None:
    await decide(platform, "pending_approval", "coach-1")
    student = STUDENT | {"syned_user_id": "user-2", "email": "b@example.com"}
    refused(404, "Coach not found or not approved connection", await platform.post("/users", json=student))


async def test_a_team_is_made_once(platform: httpx.AsyncClient) -> None:
    made = checked("create_team", await platform.post("/teams", json=TEAM | {"syned_team_id": "team-2"}))
    assert made["metactf_coach_id"] == "5401"
    again = await platform.post("/teams", json=TEAM | {"syned_team_id": "team-2"})
    refused(409, "Team with this syned_team_id already exists", again)


async def test_a_user_is_on_one_team_and_a_team_goes_when_it_is_empty(platform: httpx.AsyncClient) -> None:
    await platform.post("/teams", json=TEAM | {"syned_team_id": "team-2"})
    for _ in range(2):
        assert checked("assign_team", await platform.post("/users/assign_team", json=ON_TEAM)) == ON_TEAM
    elsewhere = ON_TEAM | {"syned_team_id": "team-2"}
    refused(400, "User is already assigned to a team", await platform.post("/users/assign_team", json=elsewhere))
    refused(400, "Team still has members", await platform.post("/teams/delete", json={"syned_team_id": "team-1"}))

    listed = checked("team_assignments", await platform.get("/users/get_team_assignments"))
    assert listed == {"assignments": [ON_TEAM], "total_count": 1}
    others = await platform.get("/users/get_team_assignments", params={"syned_team_id": "team-2"})
    assert checked("team_assignments", others)["total_count"] == 0

    checked("delete_assignment", await platform.post("/users/delete_assignment", json=STUDENT_ID))
    refused(404, "Assignment not found", await platform.post("/users/delete_assignment", json=STUDENT_ID))
    checked("delete_team", await platform.post("/teams/delete", json={"syned_team_id": "team-1"}))
    refused(404, "Team not found", await platform.post("/teams/delete", json={"syned_team_id": "team-1"}))
    refused(404, "Team not found", await platform.post("/users/assign_team", json=ON_TEAM))


async def test_totals_are_of_a_lifetime_and_the_list_begins_after_the_given_time(platform: httpx.AsyncClient) -> None:
    for at in (100, 200, 200, 300):
        await script(platform, timestamp_unix=at, challenge_points=50, challenge_category="crypto")
    params = STUDENT_ID | {"after_time_unix": "200"}
    scores = checked("odl_scores", await platform.get("/scores/get_odl_scores", params=params))
    assert [solve["timestamp_unix"] for solve in scores["challenge_solves"]] == [300]
    assert (scores["total_challenges_solved"], scores["total_points"]) == (4, 200)
    assert scores["category_points"] == {"crypto": 200}
    assert scores["last_accessed_unix_timestamp"] == 300


async def test_a_solve_id_may_repeat_across_contests(platform: httpx.AsyncClient) -> None:
    for name in ("May Flash CTF", "June Flash CTF"):
        await script(platform, flash_ctf_name=name, challenge_solve_id=1819, challenge_points=100)
    progress = checked("flash_ctf_progress", await platform.get("/scores/get_flash_ctf_progress", params=STUDENT_ID))
    assert [item["challenge_solves"][0]["challenge_solve_id"] for item in progress["flash_ctfs"]] == [1819, 1819]
    assert [item["points_earned"] for item in progress["flash_ctfs"]] == [100, 100]


async def test_a_scripted_solve_with_a_known_id_replaces_it(platform: httpx.AsyncClient) -> None:
    first = await script(platform, challenge_points=50)
    await script(platform, challenge_points=75, challenge_solve_id=first["challenge_solve_id"])
    scores = checked("odl_scores", await platform.get("/scores/get_odl_scores", params=STUDENT_ID))
    assert (scores["total_challenges_solved"], scores["total_points"]) == (1, 75)


async def test_the_truth_is_what_the_platform_tells(platform: httpx.AsyncClient) -> None:
    await platform.post(f"{CONTROL}/solves", json=[STUDENT_ID, STUDENT_ID, STUDENT_ID | {"flash_ctf_name": "May"}])
    truth = (await platform.get(f"{CONTROL}/truth")).json()["user-1"]
    scores = (await platform.get("/scores/get_odl_scores", params=STUDENT_ID)).json()
    progress = (await platform.get("/scores/get_flash_ctf_progress", params=STUDENT_ID)).json()
    assert truth["challenge_solves"] == scores["challenge_solves"]
    assert len(scores["challenge_solves"]) == 2
    assert truth["flash_ctfs"] == progress["flash_ctfs"]
    assert truth["status"] == "approved"


async def test_each_effect_is_told_once_and_scripted_ones_are_not(platform: httpx.AsyncClient) -> None:
    await platform.post(f"{CONTROL}/users", json={"syned_user_id": "scripted"})
    for _ in range(2):
        await platform.post("/users", json=STUDENT)
        await platform.post("/users/assign_team", json=ON_TEAM)
    effects = (await platform.get(f"{CONTROL}/effects")).json()
    assert [(effect["what"], effect.get("syned_user_id")) for effect in effects] == [
        ("user_created", "coach-1"), ("user_created", "user-1"), ("team_created", None), ("user_assigned", "user-1")
    ]


async def test_looking_in_is_a_new_access_without_a_solve(platform: httpx.AsyncClient, clock: Clock) -> None:
    clock.now = NOW + 60
    await platform.post(f"{CONTROL}/users/user-1/access")
    scores = checked("odl_scores", await platform.get("/scores/get_odl_scores", params=STUDENT_ID))
    assert scores["last_accessed_unix_timestamp"] == NOW + 60
    assert scores["challenge_solves"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [("/faults", [{"kind": "sleep"}]), ("/faults", [{"kind": "hang", "operation": "dance"}]), ("/faults", {}),
     ("/solves", {"syned_user_id": 5}), ("/users", {}), ("/reset", {"league": "yes"})],
)
async def test_a_wrong_direction_is_refused_with_a_reason(platform: httpx.AsyncClient, path: str, body: object) -> None:
    answer = await platform.post(CONTROL + path, json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_the_control_answers_to_this_machine_only() -> None:
    transport = httpx.ASGITransport(create_sandbox(has_league=False), client=("192.0.2.7", 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as stranger:
        assert (await stranger.get("/sandbox/truth")).status_code == 403
