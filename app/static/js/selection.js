// A list in which rows are chosen: says how many are, and chooses all of the page at once.
const boxes = (form) => [...form.querySelectorAll("input[type='checkbox'][name]")];

function show(form) {
  const all = boxes(form);
  const count = all.filter((box) => box.checked).length;
  const words = form.querySelector("[data-selected]");
  words.hidden = count === 0;
  words.textContent = `${count} chosen`;
  const everybody = form.querySelector("[data-select-all]");
  everybody.hidden = all.length === 0;
  everybody.checked = count > 0 && count === all.length;
  everybody.indeterminate = count > 0 && count < all.length;
}

function showAll() {
  for (const form of document.querySelectorAll("form[data-selection]")) show(form);
}

document.addEventListener("change", ({ target }) => {
  const form = target.closest("form[data-selection]");
  if (!form) return;
  if (target.matches("[data-select-all]")) for (const box of boxes(form)) box.checked = target.checked;
  show(form);
  const count = boxes(form).filter((box) => box.checked).length;
  document.dispatchEvent(new CustomEvent("announce", { detail: `${count} chosen` }));
});

document.addEventListener("htmx:after:swap", showAll);
showAll();
