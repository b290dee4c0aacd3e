"""A merge while scores are being read: nothing is stored with a record that has lost its account."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from app import database
from app.domain.readers import Reader, Sight
from app.services import duplicates, score_ingestion
from tests.cast import Person, make_competitor
from tests.services.platform import Platform, claim_run, make_onboarded

NOON = 1_760_000_000


async def owners() -> set[UUID]:
    rows = await database.fetch(
        """select competitor_id from game_platform_challenge_solves
           union select competitor_id from game_platform_stats
           union select competitor_id from game_platform_sync_state"""
    )
    return {row["competitor_id"] for row in rows}


async def test_what_a_merge_overtook_is_stored_by_the_next_look(
    platform: Platform, coach: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(coach.id, uuid4(), "coach", "Coach", "UTC", "system", (), Sight(coach_id=coach.id))
    gone, account = await make_onboarded(platform, coach, "Jonathan Poplar")
    kept = await make_competitor(coach, "Jon Poplar", status="compliance")
    await platform.solve(account, timestamp_unix=NOON)
    claim = await claim_run()
    async with platform.client(claim) as client:
        real = client.odl_scores

        async def overtaken(*arguments: Any, **options: Any) -> Any:
            answer = await real(*arguments, **options)
            await duplicates.merge(reader, kept, gone, [])
            return answer

        monkeypatch.setattr(client, "odl_scores", overtaken)
        await score_ingestion.sync(claim, client, batch_size=50)
    assert await owners() == {kept}
    await database.execute("update game_platform_sync_state set due_at = now()")
    claim = await claim_run()
    async with platform.client(claim) as client:
        assert (await score_ingestion.sync(claim, client, batch_size=50)).new_solves == 1
    assert await owners() == {kept}
