"""The one request that the platform's description does not have: not there, unless it is switched on."""

import httpx

from tests.sandbox.conftest import STUDENT
from tests.sandbox.test_script import CONTROL, STUDENT_ID, tell

PATH = "/auth/send_password_reset_email"


async def mails(platform: httpx.AsyncClient) -> list[str]:
    effects = (await platform.get(f"{CONTROL}/effects")).json()
    return [told["syned_user_id"] for told in effects if told["what"] == "password_mail_sent"]


async def test_it_is_not_offered(platform: httpx.AsyncClient) -> None:
    answer = await platform.post(PATH, json=STUDENT_ID)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
    assert await mails(platform) == []


async def test_switched_on_it_sends_a_mail_to_an_approved_user(platform: httpx.AsyncClient) -> None:
    await tell(platform, "/password-help", {"is_offered": True})
    assert (await platform.post(PATH, json=STUDENT_ID)).status_code == 200
    await tell(platform, f"/users/{STUDENT['syned_user_id']}/status", {"status": "denied"})
    assert (await platform.post(PATH, json=STUDENT_ID)).status_code == 403
    assert (await platform.post(PATH, json={"syned_user_id": "nobody"})).status_code == 404
    assert await mails(platform) == [STUDENT["syned_user_id"]]
    await tell(platform, "/reset", {})
    assert (await platform.post(PATH, json=STUDENT_ID)).json() == {"detail": "Not Found"}
