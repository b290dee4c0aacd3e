"""What is answered at addresses that are none."""

from tests.cast import make_cast
from tests.clients import client_for


async def test_a_page_that_does_not_exist_still_knows_its_reader() -> None:
    cast = await make_cast()
    async with await client_for(cast.coach_a) as client:
        answer = await client.get("/nowhere")
    assert answer.status_code == 404
    assert "Ada Alder" in answer.text and 'href="/leaderboard"' in answer.text
    assert "/admin/components" not in answer.text
