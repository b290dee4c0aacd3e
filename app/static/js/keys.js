// Keys: `/` searches, `?` tells the keys, arrows go from row to row in a table. Never while somebody types.
const dialog = document.getElementById("keys");

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

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const row = document.activeElement?.closest?.("tbody tr");
  if (event.key === "/") search();
  else if (event.key === "?" && dialog) dialog.showModal();
  else if (!(row && ["ArrowDown", "ArrowUp"].includes(event.key) && stepRow(row, event.key === "ArrowDown" ? 1 : -1))) return;
  event.preventDefault();
});

dialog?.addEventListener("click", ({ target }) => { if (target === dialog) dialog.close(); });
