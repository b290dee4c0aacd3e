"""Client and sandbox against the vendor's own document: every request, every answer, every field."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import httpx
import pytest

from app.integrations.game_platform.client import GamePlatformClient
from app.integrations.game_platform.schemas import (
    FlashCtfProgress,
    NewTeam,
    NewUser,
    OdlScores,
    PlatformTeam,
    PlatformUser,
    TeamAssignment,
    TeamAssignments,
    UserStatus,
)
from app.integrations.http import ErrorKind, VendorError, VendorHttp, make_client
from app.integrations.records import VendorModel, read
from app.sandbox.contract import OPERATIONS
from app.sandbox.server import TOKEN, create_sandbox
from tests.integrations.vendor_contract import (
    PREFIX,
    Contract,
    Schema,
    answers_of,
    contract,
    query_as_record,
    resolved,
    samples,
    without_prose,
)
from tests.integrations.wire import Office, answer

__all__ = ["contract", "samples"]

COACH = NewUser(
    first_name="Ada", last_name="Alder", email="ada@example.org", role="coach", syned_user_id="coach-1",
)
STUDENT = NewUser(
    first_name="Noël", last_name="O’Brien-王", email="noel@example.org", role="user", syned_user_id="student-1",
    syned_coach_user_id="coach-1", syned_school_id="school-1", syned_region_id="region-1",
)
TEAM = NewTeam(
    syned_team_id="team-1", syned_coach_user_id="coach-1", team_name="Firewall", affiliation="Example High School",
    division="high_school",
)


class Checked(httpx.AsyncBaseTransport):
    """Lets nothing through, in either direction, that the vendor's document does not allow."""

    def __init__(self, contract: Contract, transport: httpx.AsyncBaseTransport) -> None:
        self.contract = contract
        self.transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        operation = self.contract.check_request(request)
        response = await self.transport.handle_async_request(request)
        content = await response.aread()
        self.contract.check_answer(operation, response.status_code, response.json())
        return answer(response.status_code, content)


@asynccontextmanager
async def platform(contract: Contract, transport: httpx.AsyncBaseTransport) -> AsyncIterator[GamePlatformClient]:
    office = Office()
    async with make_client(
        f"https://platform.example{PREFIX}", token=TOKEN, concurrency=2, transport=Checked(contract, transport)
    ) as client:
        http = VendorHttp(client, vendor="game_platform", limiter=office, breaker=office, ledger=office)
        yield GamePlatformClient(http)


Ask = Callable[[GamePlatformClient], Coroutine[Any, Any, object]]
EVERY_OPERATION: dict[str, tuple[str, Ask]] = {
    "index": ("", lambda c: c.index()),
    "get_user": ("get_user_201", lambda c: c.get_user("student-1")),
    "create_user": ("create_user_201", lambda c: c.create_user(STUDENT)),
    "create_team": ("create_team_201", lambda c: c.create_team(TEAM)),
    "delete_team": ("", lambda c: c.delete_team("team-1")),
    "assign_team": ("assign_201", lambda c: c.assign_team(syned_team_id="team-1", syned_user_id="student-1")),
    "delete_assignment": ("delete_assignment_200", lambda c: c.delete_assignment("student-1")),
    "team_assignments": ("get_team_assignments_200", lambda c: c.team_assignments("team-1")),
    "team_assignments_all": ("get_team_assignments_200", lambda c: c.team_assignments()),
    "odl_scores": ("odl_200", lambda c: c.odl_scores("student-1")),
    "odl_scores_after": ("odl_200_incremental_empty", lambda c: c.odl_scores("student-1", 1_767_225_600)),
    "flash_ctf_progress": ("flash_200", lambda c: c.flash_ctf_progress("student-1")),
}


async def test_every_request_of_the_client_is_one_the_vendor_documents(contract: Contract, samples: Schema) -> None:
    for sample, ask in EVERY_OPERATION.values():
        body = samples[sample] if sample else {"message": "hello"}

        def respond(request: httpx.Request, body: object = body) -> httpx.Response:
            status, _ = next(answers_of(contract.operations[request.method, request.url.path]))
            return answer(status, body)

        async with platform(contract, httpx.MockTransport(respond)) as client:
            await ask(client)
    assert contract.operations_asked == set(contract.operations)


@pytest.mark.parametrize(
    ("sample", "model"),
    [
        ("create_user_201", PlatformUser), ("get_user_201", PlatformUser), ("create_team_201", PlatformTeam),
        ("assign_201", TeamAssignment), ("delete_assignment_200", TeamAssignment),
        ("get_team_assignments_200", TeamAssignments), ("odl_200", OdlScores),
        ("odl_200_incremental_empty", OdlScores), ("flash_200", FlashCtfProgress),
    ],
)
def test_every_sample_is_read_without_loss(samples: Schema, sample: str, model: type[VendorModel]) -> None:
    parsed = read(model, samples[sample])
    assert parsed.raw == samples[sample] and getattr(parsed, "rejected", ()) == ()
    assert set(samples[sample]) <= set(parsed.model_dump())


async def test_the_vendors_refusals_are_told_in_its_own_words(contract: Contract, samples: Schema) -> None:
    expected = {
        "error_422": (422, ErrorKind.INVALID, "role: Input should be 'coach' or 'user'"),
        "error_404_observed": (404, ErrorKind.NOT_FOUND, "User not found or not approved"),
        "error_coach_observed": (403, ErrorKind.NOT_FOUND, "Coach not found or not approved connection"),
    }
    for sample, (status, kind, message) in expected.items():
        def respond(_: httpx.Request, status: int = status, body: object = samples[sample]) -> httpx.Response:
            return answer(status, body)

        http = VendorHttp(
            make_client("https://p.example", token="t", concurrency=1, transport=httpx.MockTransport(respond)),
            vendor="game_platform", limiter=Office(), breaker=Office(), ledger=Office(),
            forbidden=lambda _: ErrorKind.NOT_FOUND,
        )
        with pytest.raises(VendorError) as caught:
            await GamePlatformClient(http).get_user("x")
        assert (caught.value.status, caught.value.kind, caught.value.message) == (status, kind, message)


# the sandbox's description of the same contract


def test_the_sandbox_describes_the_operations_that_the_vendor_has(contract: Contract) -> None:
    described = {(operation.method, PREFIX + operation.path) for operation in OPERATIONS.values()}
    assert described == set(contract.operations)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_the_sandbox_describes_each_operation_as_the_vendor_does(contract: Contract, name: str) -> None:
    ours = OPERATIONS[name]
    theirs = cast(Schema, resolved(contract.operations[ours.method, PREFIX + ours.path], contract.document))
    status, answer_schema = next(answers_of(theirs))
    body = theirs["requestBody"]["content"]["application/json"]["schema"] if "requestBody" in theirs else None
    assert ours.status == status
    assert ours.needs_token == ("security" in theirs)
    assert without_prose(ours.answer) == without_prose(answer_schema)
    assert without_prose(ours.query) == without_prose(query_as_record(theirs))
    assert without_prose(ours.body) == without_prose(body)


# the sandbox's real answers


async def test_what_the_sandbox_answers_is_what_the_vendor_documents(contract: Contract) -> None:
    sandbox = httpx.ASGITransport(cast(Any, create_sandbox()))
    async with platform(contract, sandbox) as client:
        assert isinstance(await client.index(), dict)
        assert (await client.create_user(COACH)).metactf_user_status is UserStatus.APPROVED
        user = await client.create_user(STUDENT)
        assert await client.get_user("student-1") == user
        assert (await client.create_team(TEAM)).team_name == "Firewall"
        for _ in range(2):
            await client.assign_team(syned_team_id="team-1", syned_user_id="student-1")
        assignments = await client.team_assignments("team-1")
        assert assignments.complete and (await client.team_assignments()).complete
        assert [entry.syned_user_id for entry in assignments.assignments] == ["student-1"]
        assert (await client.odl_scores("student-1")).total_points == 0
        assert (await client.flash_ctf_progress("student-1")).flash_ctfs == ()
        await client.delete_assignment("student-1")
        await client.delete_team("team-1")
    assert contract.operations_asked == set(contract.operations)


async def test_the_scores_of_everybody_in_the_demo_league_are_as_documented(contract: Contract) -> None:
    sandbox = httpx.ASGITransport(cast(Any, create_sandbox()))
    async with httpx.AsyncClient(transport=sandbox, base_url="https://platform.example") as director:
        truth = (await director.get("/sandbox/truth")).json()
    solves = 0
    async with platform(contract, sandbox) as client:
        for syned_user_id in truth:
            scores = await client.odl_scores(syned_user_id)
            progress = await client.flash_ctf_progress(syned_user_id)
            assert not scores.rejected and not progress.rejected
            assert scores.total_challenges_solved == len(scores.challenge_solves)
            solves += len(scores.challenge_solves) + sum(len(event.challenge_solves) for event in progress.flash_ctfs)
    assert truth and solves


@pytest.mark.parametrize(
    ("ask", "status", "kind"),
    [
        (lambda c: c.get_user("nobody"), 404, ErrorKind.NOT_FOUND),
        (lambda c: c.odl_scores("nobody"), 404, ErrorKind.NOT_FOUND),
        (lambda c: c.create_user(STUDENT), 404, ErrorKind.NOT_FOUND),
        (lambda c: c.create_user(replace(COACH, first_name="")), 422, ErrorKind.INVALID),
        (lambda c: c.create_team(replace(TEAM, division="pro")), 422, ErrorKind.INVALID),
        (lambda c: c.delete_team("nothing"), 404, ErrorKind.NOT_FOUND),
        (lambda c: c.delete_assignment("nobody"), 404, ErrorKind.NOT_FOUND),
    ],
)
async def test_what_the_sandbox_refuses_it_refuses_as_the_vendor_does(
    ask: Ask, status: int, kind: ErrorKind
) -> None:
    office = Office()
    async with make_client(
        f"https://platform.example{PREFIX}", token=TOKEN, concurrency=2,
        transport=httpx.ASGITransport(cast(Any, create_sandbox())),
    ) as client:
        http = VendorHttp(client, vendor="game_platform", limiter=office, breaker=office, ledger=office)
        with pytest.raises(VendorError) as caught:
            await ask(GamePlatformClient(http))
    assert (caught.value.status, caught.value.kind) == (status, kind)
    assert caught.value.message and not caught.value.ambiguous
