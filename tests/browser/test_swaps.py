"""What happens around a swap: errors are seen, focus stays, live updates keep out of the way.

The regions are put into a real page; what they ask for is answered by the real server or, where a certain answer at
a certain moment matters, by the browser's own network layer.
"""

import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast

PAGE = "/admin/components"
REGION = """([address, trigger, inside]) => {
  const region = document.createElement("section");
  region.id = "region";
  for (const [name, value] of Object.entries(
    { "hx-get": address, "hx-trigger": trigger, "hx-target": "#region", "hx-swap": "outerHTML" })) {
    region.setAttribute(name, value);
  }
  region.append(...new DOMParser().parseFromString(inside, "text/html").body.childNodes);
  document.getElementById("content").prepend(region);
  htmx.process(region);
}"""
ASK = "document.getElementById('region').dispatchEvent(new CustomEvent('ask'))"
LEAVE = """() => {
  document.activeElement.blur();
  getSelection().removeAllRanges();
  Object.assign(document.getElementById("in-use"), { open: false, checked: false });
}"""
TICK = "document.body.dispatchEvent(new CustomEvent('dash:tick'))"


@pytest.fixture
async def cast(context: BrowserContext, tab: Page) -> Cast:
    cast = await make_cast()
    await sign_in(context, cast.admin)
    await tab.goto(PAGE)
    return cast


async def put(tab: Page, address: str, *, trigger: str = "ask", inside: str = "old") -> None:
    await tab.evaluate(REGION, [address, trigger, inside])


async def answer_with(tab: Page, body: str, status: int = 200) -> None:
    async def answer(route: Route) -> None:
        await route.fulfill(status=status, content_type="text/html", body=body)

    await tab.route("**/fragment", answer)


def forgive(errors: list[str], *words: str) -> None:
    errors[:] = [error for error in errors if not any(word in error for word in words)]


async def test_an_error_lands_in_the_message_region_and_nothing_is_lost(
    tab: Page, cast: Cast, errors: list[str]
) -> None:
    await put(tab, "/nowhere", inside="still here")
    await tab.evaluate(ASK)
    await expect(tab.locator("#messages")).to_contain_text("Not found. There is nothing at this address")
    await expect(tab.locator("#region")).to_have_text("still here")
    await tab.locator("#messages [data-dismiss]").click()
    await expect(tab.locator("#messages")).to_be_empty()
    forgive(errors, "404")


async def test_a_server_that_is_gone_is_said_once_and_forgotten_when_it_is_back(
    tab: Page, cast: Cast, errors: list[str]
) -> None:
    await tab.route("**/fragment", lambda route: route.abort())
    await put(tab, "/fragment")
    await tab.evaluate(ASK)
    await expect(tab.locator("#messages")).to_contain_text("Sideline does not answer.")
    await tab.unroute("**/fragment")
    await answer_with(tab, '<section id="region">new</section>')
    await tab.evaluate(ASK)
    await expect(tab.locator("#region")).to_have_text("new")
    await expect(tab.locator("#messages")).to_be_empty()
    forgive(errors, "ERR_FAILED", "htmx:error")


async def test_a_session_that_ended_leads_to_the_sign_in(tab: Page, cast: Cast, context: BrowserContext) -> None:
    await context.clear_cookies()
    await put(tab, PAGE)
    await tab.evaluate(ASK)
    await tab.wait_for_url("**/login?next=/admin/components")


async def test_focus_stays_on_what_has_the_same_id(tab: Page, cast: Cast) -> None:
    await answer_with(tab, '<section id="region"><button id="again">Again</button></section>')
    await put(tab, "/fragment", inside='<button id="again">Again</button>')
    await tab.locator("#again").focus()
    await tab.evaluate(ASK)
    await expect(tab.locator("#region")).not_to_have_attribute("hx-get", "/fragment")
    await expect(tab.locator("#again")).to_be_focused()


async def test_focus_never_falls_to_the_body(tab: Page, cast: Cast) -> None:
    await answer_with(tab, '<section id="region">gone</section>')
    await put(tab, "/fragment", inside='<button id="again">Again</button>')
    await tab.locator("#again").focus()
    await tab.evaluate(ASK)
    await expect(tab.locator("#region")).to_have_text("gone")
    await expect(tab.locator("#content h1").first).to_be_focused()


async def test_a_result_is_announced_and_a_refresh_is_not(tab: Page, cast: Cast) -> None:
    await answer_with(tab, '<section id="region" data-announce="24 competitors">new</section>')
    await put(tab, "/fragment", trigger="dash:tick from:body")
    await tab.evaluate(TICK)
    await expect(tab.locator("#region")).to_have_text("new")
    await expect(tab.locator("#announcements")).to_be_empty()
    await tab.evaluate("document.getElementById('region').remove()")
    await put(tab, "/fragment")
    await tab.evaluate(ASK)
    await expect(tab.locator("#announcements")).to_have_text("24 competitors")


@pytest.mark.parametrize(
    ("inside", "use"),
    [
        ('<button id="in-use">Sort</button>', "document.getElementById('in-use').focus()"),
        ('<details id="in-use"><summary>Menu</summary></details>', "document.getElementById('in-use').open = true"),
        ('<input type="checkbox" id="in-use" aria-label="x">', "document.getElementById('in-use').checked = true"),
        ('<p id="in-use">text</p>', "getSelection().selectAllChildren(document.getElementById('in-use'))"),
    ],
)
async def test_a_tick_leaves_a_region_in_use_alone(tab: Page, cast: Cast, inside: str, use: str) -> None:
    await answer_with(tab, '<section id="region">new</section>')
    await put(tab, "/fragment", trigger="dash:tick from:body", inside=inside)
    await tab.evaluate(use)
    for _ in range(3):
        await tab.evaluate(TICK)
    await tab.wait_for_timeout(300)
    await expect(tab.locator("#in-use")).to_be_attached()
    await tab.evaluate(LEAVE)
    await tab.evaluate(TICK)
    await expect(tab.locator("#region")).to_have_text("new")


async def test_a_number_that_changed_is_tinted(tab: Page, cast: Cast) -> None:
    await answer_with(tab, '<section id="region"><b data-watch="a">2</b><b data-watch="b">7</b></section>')
    # A tick of the page's own would bring the same number once more, and what has not changed is not tinted.
    await tab.get_by_role("button", name="Live").click()
    await put(tab, "/fragment", trigger="dash:tick from:body", inside='<b data-watch="a">1</b><b data-watch="b">7</b>')
    await tab.evaluate(TICK)
    await expect(tab.locator("[data-watch=a]")).to_have_class("changed")
    await expect(tab.locator("[data-watch=b]")).not_to_have_class("changed")


async def test_ticks_come_by_themselves_and_can_be_switched_off_for_good(tab: Page, cast: Cast) -> None:
    count = "window.ticks ?? 0"
    await tab.evaluate("document.body.addEventListener('dash:tick', () => { window.ticks = (window.ticks ?? 0) + 1; })")
    await tab.mouse.move(20, 20)
    await tab.wait_for_timeout(5_000)
    assert 1 <= await tab.evaluate(count) <= 2
    await tab.get_by_role("button", name="Live").click()
    await expect(tab.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "false")
    await tab.reload()
    await expect(tab.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "false")


async def test_a_204_changes_nothing(tab: Page, cast: Cast) -> None:
    await answer_with(tab, "", status=204)
    await put(tab, "/fragment", inside="unchanged")
    async with tab.expect_response("**/fragment"):
        await tab.evaluate(ASK)
    await expect(tab.locator("#region")).to_have_text("unchanged")
    await expect(tab.locator("#messages")).to_be_empty()


async def test_a_second_click_on_a_slow_form_sends_nothing(tab: Page, cast: Cast) -> None:
    sent: list[str] = []

    async def answer_late(route: Route) -> None:
        sent.append(route.request.url)
        await route.fulfill(status=204)

    await tab.route("**/slow", answer_late)
    await tab.evaluate("document.querySelector('.confirm').action = '/slow'")
    await tab.get_by_role("button", name="Remove 3 people").dblclick()
    await tab.wait_for_timeout(300)
    assert len(sent) == 1


async def test_a_server_in_trouble_is_asked_once_a_minute(tab: Page, cast: Cast, errors: list[str]) -> None:
    asked: list[str] = []

    async def fail(route: Route) -> None:
        asked.append(route.request.url)
        await route.fulfill(status=503, headers={"HX-Retarget": "#messages"}, body="away")

    await tab.route("**/fragment", fail)
    await put(tab, "/fragment", trigger="dash:tick from:body")
    await tab.evaluate(TICK)
    for _ in range(5):
        await tab.wait_for_timeout(1_000)
        await tab.mouse.move(20, 20)
    assert len(asked) == 1
    await expect(tab.locator("#region")).to_have_text("old")
    forgive(errors, "503")
