// Theme and density change at once; the server is told so that the next page begins with them.
function announce(text) {
  document.dispatchEvent(new CustomEvent("announce", { detail: text }));
}

function apply(name, value) {
  const root = document.documentElement;
  if (name === "theme") root.dataset.theme = value;
  if (name === "density") {
    if (value === "compact") root.dataset.density = value;
    else delete root.dataset.density;
  }
}

function show(form, name, button) {
  if (name === "theme") {
    for (const other of form.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
  } else {
    const isCompact = button.value === "compact";
    button.setAttribute("aria-pressed", String(isCompact));
    button.value = isCompact ? "normal" : "compact";
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  const name = form.dataset.appearance;
  if (!name || !button) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, button));
  apply(name, button.value);
  show(form, name, button);
  fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } })
    .then((answer) => answer.ok, () => false)
    .then((isKept) => { if (!isKept) announce("The choice could not be kept; it holds until you leave this page."); });
});
