// Live updates: a `dash:tick` event on the body, which regions take with hx-trigger="dash:tick from:body".
// Every 60 s, every 3 s while somebody is at the page, never while it is hidden, at once when it is seen again.
const CALM = 60000;
const EAGER = 3000;
const ATTENTION = 60000;
const REMEMBERED = "live";

let lastTick = Date.now();
let calmUntil = 0;
let attentiveUntil = Date.now() + ATTENTION;
let isOn = localStorage.getItem(REMEMBERED) !== "off";

function tick() {
  lastTick = Date.now();
  document.body.dispatchEvent(new CustomEvent("dash:tick"));
}

function tickWhenDue() {
  if (!isOn || document.hidden) return;
  const now = Date.now();
  const pause = now < attentiveUntil && now > calmUntil ? EAGER : CALM;
  if (now - lastTick >= pause) tick();
}

function attend() {
  attentiveUntil = Date.now() + ATTENTION;
}

// Somebody works inside: focus, an open menu or dialog, ticked boxes, or marked text.
function isInUse(region) {
  const focused = document.activeElement;
  if (focused && focused !== document.body && region.contains(focused)) return true;
  if (region.querySelector("details[open], dialog[open], input[type='checkbox']:checked")) return true;
  const marked = getSelection();
  return Boolean(marked && !marked.isCollapsed && region.contains(marked.anchorNode));
}

function holdWhileInUse(event) {
  const { ctx } = event.detail;
  if (ctx.sourceEvent?.type === "dash:tick" && ctx.target instanceof Element && isInUse(ctx.target)) event.preventDefault();
}

// A server in trouble is not asked more often, and its message is not read out every three seconds.
function calmDown({ detail }) {
  if (detail.ctx?.sourceEvent?.type === "dash:tick") calmUntil = Date.now() + CALM;
}

function show() {
  for (const control of document.querySelectorAll("[data-live]")) {
    control.hidden = false;
    control.setAttribute("aria-pressed", String(isOn));
    control.title = isOn ? "Live updates are on" : "Live updates are off";
  }
}

document.addEventListener("click", ({ target }) => {
  const control = target instanceof Element && target.closest("[data-live]");
  if (!control) return;
  isOn = !isOn;
  localStorage.setItem(REMEMBERED, isOn ? "on" : "off");
  show();
  document.dispatchEvent(new CustomEvent("announce", { detail: control.title }));
  if (isOn) tick();
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  attend();
  if (isOn) tick();
});

for (const name of ["pointermove", "keydown", "scroll", "focus"]) {
  addEventListener(name, attend, { passive: true, capture: true });
}
for (const name of ["htmx:before:request", "htmx:before:swap"]) document.addEventListener(name, holdWhileInUse);
for (const name of ["htmx:error", "htmx:response:error"]) document.addEventListener(name, calmDown);
document.addEventListener("htmx:after:swap", show);

show();
setInterval(tickWhenDue, 1000);
