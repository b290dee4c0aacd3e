"""Should the platform ever offer everybody's scores at once: one setting, one call. It offers none today, so the other
side of the wire is a stand-in here."""

import json

import httpx
import pytest
import pytest_asyncio

from app import database
from app.jobs.clients import open_game_platform
from app.services import score_ingestion
from app.services.score_ingestion import SyncResult
from app.settings import Settings
from bench.ingest import Body
from tests.cast import Person, make_competitor
from tests.services.platform import claim_run

FEED = "/scores/everybody"
SOLVED_AT = 1_760_000_000


class Vendor:
    """Who is in the feed is answered for there; everybody can be asked for alone."""

    def __init__(self) -> None:
        self.solves: dict[str, int] = {}
        self.in_feed: list[str] = []
        self.asked: list[tuple[str, dict[str, str]]] = []

    def odl(self, syned_user_id: str) -> dict[str, object]:
        count = self.solves.get(syned_user_id, 0)
        solves = [
            {"challenge_solve_id": n, "challenge_id": n, "challenge_title": "Caesar", "challenge_points": 10,
             "challenge_category": "crypto", "timestamp_unix": SOLVED_AT + n, "challenge_retired": n == 0,
             "nist_nice_work_roles": []} for n in range(count)
        ]
        return {"syned_user_id": syned_user_id, "metactf_user_id": 1, "total_challenges_solved": count,
                "total_points": 10 * count, "last_accessed_unix_timestamp": SOLVED_AT + count, "category_points": {},
                "challenge_solves": solves}

    def answer(self, request: httpx.Request) -> httpx.Response:
        path, params = request.url.path.removeprefix("/v1"), dict(request.url.params)
        self.asked.append((path, params))
        body: dict[str, object] = {"syned_user_id": params.get("syned_user_id"), "flash_ctfs": []}
        if path == FEED:
            body = {"scores": [*(self.odl(one) for one in self.in_feed), {"unreadable": True}]}
        elif path.endswith("get_odl_scores"):
            body = self.odl(params["syned_user_id"])
        content = Body(json.dumps(body).encode())
        return httpx.Response(200, stream=content, headers={"content-type": "application/json"})


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest_asyncio.fixture
async def people(coach: Person) -> list[str]:
    for number in range(4):
        await make_competitor(coach, f"Player{number} Poplar")
    return [row[0] for row in await database.fetch("select syned_user_id from game_platform_sync_state order by 1")]


async def sync(vendor: Vendor) -> SyncResult:
    settings = Settings.model_validate({
        "game_platform_base_url": "http://127.0.0.1/v1", "game_platform_api_token": "token",
        "game_platform_scores_feed_path": FEED, "game_platform_max_requests_per_minute": 1_000_000,
    })
    claim = await claim_run()
    transport = httpx.MockTransport(vendor.answer)
    async with open_game_platform(settings, run_id=claim.run_id, transport=transport) as client:
        return await score_ingestion.sync(
            claim, client, batch_size=50, feed_path=settings.game_platform_scores_feed_path
        )


async def test_one_call_does_for_everybody_and_who_is_missing_is_asked_for_alone(
    vendor: Vendor, people: list[str]
) -> None:
    vendor.solves = dict.fromkeys(people, 1)
    assert (await sync(vendor)).new_solves == 4  # first looks are whole ones, each on its own
    vendor.solves = dict.fromkeys(people, 2)
    vendor.in_feed = people[:3]
    vendor.asked.clear()
    result = await sync(vendor)
    assert (result.total, result.synced, result.new_solves, result.api_calls) == (4, 4, 4, 2)
    assert [path for path, _ in vendor.asked] == [FEED, "/scores/get_odl_scores"]
    assert vendor.asked[0][1] == {"after_time_unix": str(SOLVED_AT - 3600)}
    assert vendor.asked[1][1]["syned_user_id"] == people[3]
    calls = json.loads(await database.fetchval(
        "select calls_by_endpoint from game_platform_sync_runs order by id desc limit 1"
    ))
    assert calls == {"odl_feed": 1, "odl_scores": 1}
