// What every page needs: messages, focus and announcements after swaps, relative times, copying the address.
const messages = document.getElementById("messages");
const announcements = document.getElementById("announcements");

document.addEventListener("announce", ({ detail }) => announce(detail.value ?? detail));

function announce(text) {
  announcements.textContent = "";
  requestAnimationFrame(() => { announcements.textContent = text; });
}

// Relative times: the same words as `relative` on the server.
function relative(moment) {
  const seconds = (Date.now() - moment) / 1000;
  const distance = Math.abs(seconds);
  if (distance < 60) return seconds >= 0 ? "just now" : "in under a minute";
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"]].find(([size]) => distance >= size);
  const count = Math.floor(distance / size);
  return seconds > 0 ? `${count} ${unit} ago` : `in ${count} ${unit}`;
}

function refreshTimes() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const words = relative(Date.parse(time.dateTime.replace(" ", "T")));
    if (time.textContent !== words) time.textContent = words;
    if (!time.title) time.title = time.dateTime;
  }
}

// Text that was cut can be reached with the keyboard; focus shows the whole of it.
function reachCutText(root) {
  for (const text of root.querySelectorAll("span.ellipsis, span.handle")) {
    if (text.scrollWidth > text.clientWidth) text.tabIndex = 0;
  }
}

function showUnreachable() {
  const template = document.getElementById("unreachable");
  if (!document.getElementById("offline")) messages.replaceChildren(template.content.cloneNode(true));
}

// Focus and numbers before a swap, to be found again after it. Several regions may be swapped at a time, so each request
// has a memory of its own.
const memories = new WeakMap();

// A number in a table belongs to its row, by the row's header.
function watchedName(number) {
  return number.dataset.watch || number.closest("tr")?.querySelector("th")?.textContent || "";
}

function remember(target) {
  const focused = document.activeElement;
  const hadFocus = focused !== null && focused !== document.body;
  const numbers = [...target.querySelectorAll("[data-watch]")];
  return {
    hadFocus, focusedId: hadFocus ? focused.id : "",
    watched: new Map(numbers.map((number) => [watchedName(number), number.textContent])),
  };
}

function keepFocus({ hadFocus, focusedId }) {
  if (!hadFocus || (document.activeElement && document.activeElement !== document.body)) return;
  const place = (focusedId && document.getElementById(focusedId))
    || document.querySelector("#content h1[tabindex], #content h2[tabindex]") || document.getElementById("content");
  place.focus({ preventScroll: true });
}

function tintChanges({ watched }) {
  for (const number of document.querySelectorAll("[data-watch]")) {
    const before = watched.get(watchedName(number));
    if (before !== undefined) number.classList.toggle("changed", before !== number.textContent);
  }
}

const isTick = ({ ctx }) => ctx.sourceEvent?.type === "dash:tick";

document.addEventListener("htmx:before:request", ({ detail }) => {
  if (!isTick(detail)) detail.ctx.target?.setAttribute("aria-busy", "true");
});

document.addEventListener("htmx:finally:request", () => {
  for (const region of document.querySelectorAll("#content [aria-busy][id]")) region.removeAttribute("aria-busy");
});

// After an error the target is a selector, not an element.
document.addEventListener("htmx:before:swap", ({ detail }) => {
  memories.set(detail.ctx, remember(detail.ctx.target instanceof Element ? detail.ctx.target : document.body));
});

document.addEventListener("htmx:after:swap", ({ detail }) => {
  const memory = memories.get(detail.ctx);
  if (memory) {
    keepFocus(memory);
    tintChanges(memory);
  }
  reachCutText(document);
});

// A new result says what it holds; a refresh that nobody asked for does not.
document.addEventListener("htmx:finally:swap", ({ detail }) => {
  if (isTick(detail)) return;
  const news = document.querySelector("[data-announce]");
  if (news) announce(news.dataset.announce);
});

document.addEventListener("htmx:error", ({ detail }) => { if (detail.ctx) showUnreachable(); });
document.addEventListener("htmx:after:request", () => document.getElementById("offline")?.remove());

document.addEventListener("click", async ({ target }) => {
  if (!(target instanceof Element)) return;
  target.closest("[data-dismiss]")?.closest(".flash")?.remove();
  const copy = target.closest("[data-copy-link]");
  if (target.closest("[data-print]")) window.print();
  if (copy) announce(await copied(copy.dataset.copyLink || location.href) ? "Link copied." : "The link could not be copied.");
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
});

document.addEventListener("keydown", ({ key }) => {
  const menu = key === "Escape" && document.activeElement?.closest("details.menu[open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
});

// A second click on a slow form does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (Date.now() - Number(form.dataset.sentAt ?? 0) < 3000) event.preventDefault();
  else form.dataset.sentAt = String(Date.now());
});

// The clipboard is closed to plain http; an old selection still works there.
async function copied(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const field = document.body.appendChild(Object.assign(document.createElement("textarea"), { value: text }));
  field.select();
  const worked = document.execCommand("copy");
  field.remove();
  return worked;
}

for (const control of document.querySelectorAll("[data-copy-link], [data-print]")) control.hidden = false;
refreshTimes();
reachCutText(document);
setInterval(refreshTimes, 30000);
