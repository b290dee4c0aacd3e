// A team opens in a drawer over the list, under its own address. Escape and Back close it, and focus returns to where it
// was. Without a script, or where anything goes wrong, the link leads to the team's own page.
const drawer = document.getElementById("drawer");
let isClosing = false;

async function show(address) {
  const response = await fetch(address, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } }).catch(() => null);
  if (!response?.ok || response.redirected || response.headers.has("HX-Redirect")) return location.assign(address);
  const inside = new DOMParser().parseFromString(await response.text(), "text/html");
  drawer.replaceChildren(...inside.body.childNodes);
  if (!drawer.open) drawer.showModal();
  drawer.querySelector("h2").focus();
  return undefined;
}

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element && event.target.closest("a[data-drawer]");
  if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState({ drawer: true }, "", link.href);
  link.focus();
  show(link.href);
});

// Every way out goes back to the list's address first: what moves the focus before that, the browser moves again.
drawer.addEventListener("click", ({ target }) => {
  if (target === drawer || target.closest("[data-close]")) history.back();
});

drawer.addEventListener("cancel", (event) => {
  event.preventDefault();
  history.back();
});

drawer.addEventListener("close", () => {
  if (history.state?.drawer) history.back();
});

addEventListener("popstate", ({ state }) => {
  isClosing = drawer.open && !state?.drawer;
  if (isClosing) drawer.close();
  else if (state?.drawer) show(location.href);
});

// The list is still there as it was: htmx need not ask for it again.
document.addEventListener("htmx:before:history:restore", (event) => {
  if (isClosing) event.preventDefault();
});
