"""What happens at the platform by script, without the product."""

from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import COACH, STUDENT, TEAM

CONTROL = "http://sandbox/sandbox"
STUDENT_ID = {"syned_user_id": STUDENT["syned_user_id"]}
ON_TEAM = STUDENT_ID | {"syned_team_id": TEAM["syned_team_id"]}


async def tell(platform: httpx.AsyncClient, path: str, body: object) -> Any:
    answer = await platform.post(f"{CONTROL}{path}", json=body)
    answer.raise_for_status()
    return answer.json()


async def hear(platform: httpx.AsyncClient, path: str, **query: Any) -> Any:
    answer = await platform.get(path, params=query)
    answer.raise_for_status()
    return answer.json()


async def scores(platform: httpx.AsyncClient, **query: Any) -> Any:
    return await hear(platform, "/scores/get_odl_scores", **STUDENT_ID, **query)


async def test_a_late_solve_is_in_the_totals_but_not_in_the_list_after_a_later_time(
    platform: httpx.AsyncClient,
) -> None:
    await tell(platform, "/solves", STUDENT_ID | {"timestamp_unix": 1000})
    await tell(platform, "/solves", STUDENT_ID | {"timestamp_unix": 500})
    told = await scores(platform, after_time_unix=999)
    assert told["total_challenges_solved"] == 2 and len(told["challenge_solves"]) == 1


async def test_a_removed_solve_leaves_list_and_totals_and_its_number_is_not_given_again(
    platform: httpx.AsyncClient,
) -> None:
    solve = await tell(platform, "/solves", STUDENT_ID)
    removed = STUDENT_ID | {"challenge_solve_id": solve["challenge_solve_id"]}
    assert await tell(platform, "/solves/remove", removed) == solve
    told = await scores(platform)
    assert (told["total_challenges_solved"], told["total_points"], told["challenge_solves"]) == (0, 0, [])
    assert (await tell(platform, "/solves", STUDENT_ID))["challenge_solve_id"] != solve["challenge_solve_id"]
    assert (await platform.post(f"{CONTROL}/solves/remove", json=removed)).status_code == 404


async def test_a_rescored_or_retired_solve_keeps_everything_else(platform: httpx.AsyncClient) -> None:
    solve = await tell(platform, "/solves", STUDENT_ID | {"timestamp_unix": 500})
    known = STUDENT_ID | {"challenge_solve_id": solve["challenge_solve_id"]}
    await tell(platform, "/solves", known | {"challenge_points": 7, "challenge_retired": True})
    told = await scores(platform)
    assert told["challenge_solves"] == [solve | {"challenge_points": 7, "challenge_retired": True}]


async def test_a_flash_solve_without_a_start_joins_the_latest_contest_of_that_name_and_can_be_removed(
    platform: httpx.AsyncClient,
) -> None:
    named = STUDENT_ID | {"flash_ctf_name": "May"}
    await tell(platform, "/solves", named | {"flash_ctf_time_start_unix": 9000})
    solve = await tell(platform, "/solves", named)
    [contest] = (await hear(platform, "/scores/get_flash_ctf_progress", **STUDENT_ID))["flash_ctfs"]
    assert contest["challenges_solved"] == 2 and contest["flash_ctf_time_start_unix"] == 9000
    await tell(platform, "/solves/remove", named | {"challenge_solve_id": solve["challenge_solve_id"]})
    [contest] = (await hear(platform, "/scores/get_flash_ctf_progress", **STUDENT_ID))["flash_ctfs"]
    assert contest["challenges_solved"] == 1


async def test_new_accounts_get_the_status_that_was_scripted_for_their_role(platform: httpx.AsyncClient) -> None:
    await tell(platform, "/first-statuses", {"coach": "pending_approval"})
    other = COACH | {"syned_user_id": "coach-2", "email": "two@example.com"}
    told = (await platform.post("/users", json=other)).json()
    assert told["metactf_user_status"] == "pending_approval"
    held = STUDENT | {"syned_user_id": "user-2", "email": "u2@example.com", "syned_coach_user_id": "coach-2"}
    assert (await platform.post("/users", json=held)).status_code == 404
    await tell(platform, "/first-statuses", {})
    third = COACH | {"syned_user_id": "coach-3", "email": "three@example.com"}
    assert (await platform.post("/users", json=third)).json()["metactf_user_status"] == "approved"


async def test_rosters_change_at_the_platform_without_leaving_an_effect(platform: httpx.AsyncClient) -> None:
    before = await hear(platform, f"{CONTROL}/effects")
    await tell(platform, "/teams", TEAM | {"syned_team_id": "team-9"})
    await tell(platform, "/assignments", ON_TEAM)
    await tell(platform, "/assignments", ON_TEAM | {"syned_team_id": "team-9"})
    rosters = await hear(platform, f"{CONTROL}/rosters")
    assert (rosters["team-1"]["members"], rosters["team-9"]["members"]) == ([], ["user-1"])
    assert rosters["team-9"]["coach"] == "coach-1"
    await tell(platform, "/assignments", STUDENT_ID)
    assert (await hear(platform, "/users/get_team_assignments"))["assignments"] == []
    assert await hear(platform, f"{CONTROL}/effects") == before


async def test_a_deleted_team_or_user_is_gone_with_its_assignments(platform: httpx.AsyncClient) -> None:
    await tell(platform, "/assignments", ON_TEAM)
    assert (await platform.delete(f"{CONTROL}/teams/team-1")).json()["members"] == ["user-1"]
    assert (await hear(platform, "/users/get_team_assignments"))["total_count"] == 0
    assert (await platform.delete(f"{CONTROL}/users/user-1")).status_code == 200
    assert (await platform.get("/users", params=STUDENT_ID)).status_code == 404
    assert (await platform.post("/users", json=STUDENT)).status_code == 201, "neither id nor address is taken any more"


@pytest.mark.parametrize("body", [{"syned_user_id": "nobody"}, ON_TEAM | {"syned_team_id": "nowhere"}])
async def test_who_or_what_does_not_exist_cannot_be_assigned(platform: httpx.AsyncClient, body: object) -> None:
    assert (await platform.post(f"{CONTROL}/assignments", json=body)).status_code == 404


async def test_a_refusal_is_told_in_the_scripted_words_and_nothing_is_done(platform: httpx.AsyncClient) -> None:
    await tell(platform, "/faults", [
        {"kind": "refused", "operation": "create_team", "status": 403, "detail": "Season is closed", "count": 1},
    ])
    answer = await platform.post("/teams", json=TEAM | {"syned_team_id": "team-2"})
    assert (answer.status_code, answer.json()) == (403, {"detail": "Season is closed"})
    assert "team-2" not in await hear(platform, f"{CONTROL}/rosters")
    assert (await platform.post("/teams", json=TEAM | {"syned_team_id": "team-2"})).status_code == 201
