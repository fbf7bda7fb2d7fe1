// A cell of the list becomes a field: by e on its row, by a double click, or by its pencil where there is no mouse.
const list = document.getElementById("list");
let usual = "";
let open = null;
let focus = null;

const columns = (row) => [...row.closest("table").tHead.rows[0].cells];
const cellsOf = (row) => columns(row).flatMap((column, at) => (column.dataset.edit ? [[column.dataset.edit, row.cells[at]]] : []));

function close() {
  if (!open) return;
  if (list.querySelector("#cell-form [data-cell-reload]")) {
    location.reload(); // what stood here before is no longer so: somebody else changed it
    return;
  }
  const { cell, before } = open;
  open = null;
  cell.replaceChildren(...before);
  cell.closest(".list-row").focus({ preventScroll: true });
}

async function edit(row, key) {
  const found = cellsOf(row).find(([name]) => name === key);
  if (!found || row.querySelector("#cell-form")) return;
  close();
  const cell = found[1];
  usual = key;
  const tabs = list.querySelector("[data-shape]").dataset;
  const { pathname } = new URL(row.querySelector(".who a").href);
  const address = `${pathname}cells/${encodeURIComponent(key)}${tabs.shape}&back=${encodeURIComponent(tabs.address)}`;
  const before = [...cell.childNodes];
  await htmx.ajax("GET", address, { target: cell, swap: "innerHTML" });
  if (!cell.querySelector("#cell-form")) return;
  open = { cell, before, key };
  ready();
}

function ready() {
  const field = list.querySelector("#cell-form [name=value]");
  field?.focus();
  field?.form.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (field?.matches("input:not([type=checkbox])")) field.select();
}

function beside(step) {
  const row = open.cell.closest(".list-row");
  const keys = cellsOf(row).map(([name]) => name);
  return keys[(keys.indexOf(open.key) + step + keys.length) % keys.length];
}

window.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("#cell-form");
  if (form) {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopImmediatePropagation();
      close();
    } else if (event.key === "Enter" && event.target.matches("select, input")) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Tab" && event.target.matches("[name=value]:not([type=checkbox])")) {
      event.preventDefault();
      focus = { key: open.cell.closest(".list-row").dataset.key, next: beside(event.shiftKey ? -1 : 1) };
      form.requestSubmit();
    }
    return;
  }
  if (event.key !== "e" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input:not([type=checkbox]), textarea, select") || document.querySelector("dialog[open], [popover]:popover-open")) return;
  const row = document.activeElement?.closest?.(".list-row");
  if (!row) return;
  const keys = cellsOf(row).map(([name]) => name);
  if (!keys.length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  edit(row, keys.includes(usual) ? usual : keys[1] ?? keys[0]);
}, true);

list.addEventListener("dblclick", (event) => {
  const cell = event.target.closest(".list-row > *");
  if (!cell || event.target.closest("form")) return;
  const key = columns(cell.parentElement)[cell.cellIndex].dataset.edit;
  if (!key) return;
  getSelection().removeAllRanges();
  edit(cell.parentElement, key);
});

list.addEventListener("click", (event) => {
  const pencil = event.target.closest("[data-pencil]");
  if (pencil) edit(pencil.closest(".list-row"), pencil.dataset.pencil);
  else if (event.target.closest("[data-cell-close]")) close();
  else if (event.target.closest("[data-cell-reload]")) location.reload();
});

// The row comes back anew when its field is saved; it keeps the focus, or the next field opens.
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "cell-form") focus = { key: event.target.closest(".list-row").dataset.key, next: focus?.next };
});
document.body.addEventListener("htmx:afterSettle", () => {
  pencils();
  if (list.querySelector("#cell-form")) {
    if (focus) ready();
    focus = null;
    return;
  }
  open = null;
  if (!focus) return;
  const row = list.querySelector(`.list-row[data-key="${CSS.escape(focus.key)}"]`);
  const { next } = focus;
  focus = null;
  row?.focus({ preventScroll: true });
  if (row && next) edit(row, next);
});

// With a mouse a cell that can be changed waits for its double click. Fingers have none: it has a pencil.
function pencils() {
  const mouse = !matchMedia("(hover: none), (max-width: 760px)").matches;
  for (const row of list.querySelectorAll(".list-row")) cellsOf(row).forEach(([, cell]) => cell.classList.toggle("waits", mouse));
  if (mouse) return;
  const words = list.querySelector("[data-edit-label]")?.dataset.editLabel;
  const picture = document.getElementById("pencil");
  for (const row of list.querySelectorAll(".list-row:not([data-pencils])")) {
    row.dataset.pencils = "";
    for (const [key, cell] of cellsOf(row)) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button ghost square small pencil";
      button.dataset.pencil = key;
      button.setAttribute("aria-label", `${words}: ${cell.dataset.label ?? cell.textContent.trim()}`);
      button.append(picture.content.cloneNode(true));
      cell.append(button);
    }
  }
}
pencils();
