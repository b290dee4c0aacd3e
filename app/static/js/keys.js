// Keys: `/` searches, `?` tells the keys, arrows go from row to row in a table. Never while somebody types.
const KEYS = [
  ["/", "Search"], ["?", "These keys"], ["↑ ↓", "Row up or down, inside a table"],
  ["Esc", "Close a menu, a drawer or this"],
];
let dialog;

function isTyping(element) {
  return element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));
}

function search() {
  const field = document.querySelector("#content .search-input") ?? document.getElementById("search-everywhere");
  field?.focus();
  field?.select?.();
}

// From the focused link or button of a row to the same column's, or the first, of the next row.
function stepRow(row, direction) {
  let next = row;
  do next = direction > 0 ? next.nextElementSibling : next.previousElementSibling;
  while (next && !next.querySelector("a, button, input"));
  if (!next) return false;
  const column = document.activeElement.closest("td, th")?.cellIndex ?? 0;
  (next.cells[column]?.querySelector("a, button, input") ?? next.querySelector("a, button, input")).focus();
  return true;
}

function made(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

// Made when it is first asked for: no page carries it along.
function makeDialog() {
  const list = made("dl", {}, ...KEYS.flatMap(([key, words]) => [
    made("dt", {}, made("kbd", { textContent: key })), made("dd", { textContent: words }),
  ]));
  const close = made("form", { method: "dialog" }, made("button", { className: "button", textContent: "Close" }));
  dialog = made("dialog", { id: "keys", className: "keys" }, made("h2", { id: "keys-title", textContent: "Keys" }), list, close);
  dialog.setAttribute("aria-labelledby", "keys-title");
  dialog.addEventListener("click", ({ target }) => { if (target === dialog) dialog.close(); });
  document.body.append(dialog);
}

function showKeys() {
  if (!dialog) makeDialog();
  if (!dialog.open) dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const row = document.activeElement?.closest?.("tbody tr");
  if (event.key === "/") search();
  else if (event.key === "?") showKeys();
  else if (!(row && ["ArrowDown", "ArrowUp"].includes(event.key) && stepRow(row, event.key === "ArrowDown" ? 1 : -1))) return;
  event.preventDefault();
});

