"""/notifications: one's own notices and nobody else's, kept views, when mail comes, and the link that ends it."""

import re
import shutil
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest

from app import database
from app.queries.saved_views import rows_of
from app.services import notification_preferences, saved_views
from app.settings import get_settings
from tests.alerting import evaluate, make_player, play
from tests.cast import Cast, Person, make_cast
from tests.clients import client_for, stranger
from tests.services.platform import claim_run

MINE, FOREIGN = "Ada Away", "Bea Secret"
WISH = {"mail": "soon", "daily_hour": "6", "quiet_from_hour": "21", "quiet_until_hour": "5", "mailed": ["stuck"]}


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    await make_player(cast.coach_a, MINE, team_id=cast.team_a, accessed_days=30, solved_days=40)
    await make_player(cast.coach_b, FOREIGN, team_id=cast.team_b, accessed_days=30, solved_days=40)
    await evaluate()
    return cast


async def get(person: Person, path: str = "/notifications") -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path)


async def post(person: Person, path: str, data: dict[str, object] | None = None) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.post(f"/notifications/{path}", data=data or {})


async def test_everybody_sees_their_own_notices(cast: Cast) -> None:
    text = (await get(cast.coach_a)).text
    assert MINE in text and FOREIGN not in text and 'Unread <span class="count">1</span>' in text
    assert FOREIGN in (await get(cast.coach_b)).text
    admin = (await get(cast.admin)).text
    assert "You were told nothing yet." in admin and MINE not in admin


async def test_the_header_of_every_page_says_how_many_are_unread(cast: Cast) -> None:
    one = '<span class="unread-count">1<span class="visually-hidden"> unread</span></span>'
    for path in ("/", "/leaderboard", "/settings"):
        assert one in (await get(cast.coach_a, path)).text, path
        assert "unread-count" not in (await get(cast.admin, path)).text, path
    assert 'href="/notifications"' not in (await get(cast.player, "/settings")).text
    await database.execute(
        "insert into notifications (user_id, kind, key) select $1, 'test', n::text from generate_series(1, 200) n",
        cast.coach_a.id,
    )
    assert one.replace("1<", "99+<") in (await get(cast.coach_a, "/leaderboard")).text
    newest = await database.fetchval("select max(id) from notifications where user_id = $1", cast.coach_a.id)
    await post(cast.coach_a, "read", {"newest": str(newest)})
    assert "unread-count" not in (await get(cast.coach_a)).text


async def test_players_and_strangers_are_refused(cast: Cast) -> None:
    view_id = UUID(int=1)
    async with await client_for(cast.player) as player, stranger() as nobody:
        assert (await player.get("/notifications")).status_code == 403
        assert (await nobody.get("/notifications")).status_code == 303
        for path in ("read", "preferences", "test", "test-mail", "views", f"views/{view_id}/remove"):
            assert (await player.post(f"/notifications/{path}")).status_code == 403, path
            assert (await nobody.post(f"/notifications/{path}")).status_code == 303, path


async def test_marking_as_read_leaves_what_came_later(cast: Cast) -> None:
    newest = await database.fetchval("select max(id) from notifications where user_id = $1", cast.coach_a.id)
    await make_player(cast.coach_a, "Later Larch", accessed_days=30, solved_days=40)
    await evaluate()
    assert (await post(cast.coach_a, "read", {"newest": str(newest)})).status_code == 303
    text = (await get(cast.coach_a, "/notifications?show=unread")).text
    assert "Later Larch" in text and MINE not in text
    assert await database.fetchval("select count(*) from notifications where user_id = $1 and read_at is null",
                                   cast.coach_b.id) == 1
    for newest in ("x", "", "9" * 30):
        assert (await post(cast.coach_a, "read", {"newest": newest})).status_code == 303


async def test_a_resolved_alert_says_so(cast: Cast) -> None:
    await play(await database.fetchval("select id from competitors where first_name = 'Ada'"))
    await evaluate()
    assert "Resolved" in (await get(cast.coach_a)).text


async def test_whom_one_may_not_see_any_more_is_not_named(cast: Cast) -> None:
    await database.execute("update competitors set coach_id = $1", cast.coach_b.id)
    await database.execute("delete from team_memberships")
    text = (await get(cast.coach_a)).text
    assert MINE not in text and "Somebody who is not yours any more" in text


async def test_a_team_that_was_handed_over_is_not_named_either(cast: Cast) -> None:
    await database.execute("update teams set game_platform_sync_error = 'no such coach' where id = $1", cast.team_a)
    await evaluate()
    assert f'href="/teams/{cast.team_a}"' in (await get(cast.coach_a)).text
    await database.execute("update teams set coach_id = $1 where id = $2", cast.coach_b.id, cast.team_a)
    assert "Firewall" not in (await get(cast.coach_a)).text


async def test_what_is_about_the_organization_says_so(cast: Cast) -> None:
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '3 days'")
    await evaluate()
    text = (await get(cast.admin)).text
    assert "Stale data" in text and "The organization" in text


async def test_preferences_are_kept_and_shown(cast: Cast) -> None:
    assert (await post(cast.coach_a, "preferences", dict(WISH))).status_code == 303
    preferences = await notification_preferences.read(cast.coach_a.id)
    assert (preferences.mail, preferences.daily_hour, preferences.quiet_from_hour) == ("soon", 6, 21)
    assert "stuck" not in preferences.muted and "inactive" in preferences.muted
    text = (await get(cast.coach_a)).text
    assert re.search(r'value="soon" checked', text) and not re.search(r'value="inactive" checked', text)
    assert await database.fetchval("select count(*) from audit_log where action like 'notifications%'") == 1
    assert (await notification_preferences.read(cast.coach_b.id)).mail == "daily"


@pytest.mark.parametrize(("field", "value"), [
    ("mail", "x"), ("daily_hour", "24"), ("quiet_from_hour", "-1"), ("quiet_until_hour", ""), ("daily_hour", "²"),
])
async def test_a_bad_preference_is_said_at_its_field(cast: Cast, field: str, value: str) -> None:
    answer = await post(cast.coach_a, "preferences", {**WISH, field: value})
    assert answer.status_code == 422 and "field-error" in answer.text
    assert await database.fetchval("select count(*) from notification_preferences") == 0


async def test_the_test_buttons_send_a_notice_and_a_mail(cast: Cast) -> None:
    shutil.rmtree(get_settings().var_dir / "mail", ignore_errors=True)
    assert (await post(cast.coach_a, "test")).headers["location"] == "/notifications?done=test"
    assert (await post(cast.coach_a, "test-mail")).headers["location"] == "/notifications?done=mail"
    again = await post(cast.coach_a, "test-mail")
    assert again.status_code == 422 and "try again in a minute" in again.text
    assert len(list((get_settings().var_dir / "mail").glob("*.eml"))) == 1
    text = (await get(cast.coach_a)).text
    assert text.count("This page") == 2 and "a test of this page" in text


async def test_a_view_is_kept_watched_and_removed(cast: Cast) -> None:
    view = {"name": "Mine", "address": "/competitors?status=complete", "is_watched": "yes"}
    assert (await post(cast.coach_a, "views", dict(view))).headers["location"] == "/notifications?done=saved"
    await saved_views.look(await claim_run("alerts_evaluate"), rows_of)
    text = (await get(cast.coach_a)).text
    assert 'href="/competitors?status=complete"' in text and "1 in it" in text
    await database.execute("update competitors set status = 'compliance' where first_name = 'Ada'")
    await saved_views.look(await claim_run("alerts_evaluate"), rows_of)
    text = (await get(cast.coach_a)).text
    assert re.search(r"Left.*?Ada Away.*?Mine", text, re.DOTALL) and "0 in it" in text
    view_id = await database.fetchval("select id from saved_views")
    assert (await post(cast.coach_b, f"views/{view_id}/remove")).status_code == 404
    assert (await post(cast.coach_b, f"views/{view_id}/watch", {"is_watched": "no"})).status_code == 404
    assert (await post(cast.coach_a, f"views/{view_id}/watch", {"is_watched": "no"})).status_code == 303
    assert (await post(cast.coach_a, f"views/{view_id}/remove")).status_code == 303
    assert await database.fetchval("select count(*) from saved_views") == 0


async def test_a_view_that_cannot_be_kept_leaves_what_was_typed(cast: Cast) -> None:
    answer = await post(cast.coach_a, "views", {"name": "Mine", "address": "/leaderboard?q=a", "is_watched": "yes"})
    assert answer.status_code == 422
    assert 'value="/leaderboard?q=a"' in answer.text and "Only lists of competitors can be watched." in answer.text


async def test_the_link_of_a_mail_asks_and_ends_the_mail_without_a_sign_in(cast: Cast) -> None:
    link = notification_preferences.unsubscribe_url(cast.coach_a.id).removeprefix(get_settings().base_url)
    async with stranger() as nobody:
        asked = await nobody.get(link)
        assert asked.status_code == 200 and "End the mail?" in asked.text
        assert (await notification_preferences.read(cast.coach_a.id)).mail == "daily"
        (action,) = re.findall(r'action="(/notifications/unsubscribe[^"]+)"', asked.text)
        done = await nobody.post(action, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200 and "no more mail" in done.text
        assert (await nobody.post(action)).status_code == 200
        for token in ("", "x", quote("ä.ä")):
            assert (await nobody.get(f"/notifications/unsubscribe?token={token}")).status_code == 404
            assert (await nobody.post(f"/notifications/unsubscribe?token={token}")).status_code == 404
    assert (await notification_preferences.read(cast.coach_a.id)).mail == "off"
    assert await database.fetchval("select actor from audit_log where action like 'notifications%'") == "link in a mail"


@pytest.mark.parametrize("query", ["show=x", "cursor=x", "cursor=WyJub3RpZmljYXRpb25zIixmYWxzZSwwLCJ4Il0"])
async def test_a_bad_value_shows_the_first_page(cast: Cast, query: str) -> None:
    assert MINE in (await get(cast.coach_a, f"/notifications?{query}")).text


async def test_while_presenting_no_name_is_shown(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as client:
        await client.post("/presenting", data={"present": "on", "next": "/"})
        assert MINE not in (await client.get("/notifications")).text


async def test_every_list_offers_to_keep_itself(cast: Cast) -> None:
    for path in ("/competitors?status=complete", "/alerts?rule=stuck", "/leaderboard?q=a"):
        (link,) = re.findall(r'href="(/notifications\?address=[^"]+)"', (await get(cast.coach_a, path)).text)
        assert f'value="{path}"' in (await get(cast.coach_a, link.partition("#")[0])).text, path
