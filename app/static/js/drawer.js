// A team opens in a drawer over the list, under its own address. Escape and Back close it, and focus returns to where it
// was. Without a script, or where anything goes wrong, the link leads to the team's own page.
const drawer = document.getElementById("drawer");
let isLeaving = false;

async function show(address) {
  const response = await fetch(address, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } }).catch(() => null);
  if (!response?.ok || response.redirected || response.headers.has("HX-Redirect")) return location.assign(address);
  drawer.innerHTML = await response.text();
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

drawer.addEventListener("click", ({ target }) => {
  if (target === drawer || target.closest("[data-close]")) drawer.close();
});

drawer.addEventListener("close", () => {
  if (history.state?.drawer) history.back();
});

// Back from a drawer leaves the list as it is: htmx need not ask for it again.
addEventListener("popstate", ({ state }) => {
  isLeaving = !state?.drawer;
  if (state?.drawer) show(location.href);
  else if (drawer.open) drawer.close();
});

document.addEventListener("htmx:before:history:restore", (event) => {
  if (isLeaving && location.pathname === "/teams") event.preventDefault();
});
