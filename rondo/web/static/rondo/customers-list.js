// The customers list: rows by keyboard, selection, the filter form.
const list = document.getElementById("list");
const search = document.getElementById("q");
let chosen = new Set();
let last = "";

const rows = () => [...list.querySelectorAll(".list-row")];
const typing = (target) => target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
const busy = () => document.querySelector("dialog[open], [popover]:popover-open");

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement?.closest?.(".list-row"));
  if (by > 0 && at === all.length - 1) list.querySelector("[data-more]")?.click();
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function mark() {
  for (const row of rows()) {
    const on = chosen.has(row.dataset.key);
    row.querySelector("input").checked = on;
    if (on) row.setAttribute("aria-selected", "true");
    else row.removeAttribute("aria-selected");
  }
  const bar = document.getElementById("selected");
  if (!bar) return;
  bar.hidden = chosen.size === 0;
  const said = (number) => number.toLocaleString(document.documentElement.lang);
  const shown = rows().filter((row) => chosen.has(row.dataset.key)).length;
  const all = list.querySelector("[data-all]");
  all.checked = shown > 0 && shown === rows().length;
  all.indeterminate = shown > 0 && !all.checked;
  bar.querySelector("[data-count]").textContent = said(chosen.size);
  // A search or a filter may hide some of them: what is done to them is done to those, too.
  bar.querySelector("[data-away]").hidden = shown === chosen.size;
  bar.querySelector("[data-away-count]").textContent = said(chosen.size - shown);
  for (const link of bar.querySelectorAll("[data-export]")) {
    const asked = new URLSearchParams(list.querySelector("[data-shape]").dataset.shape);
    chosen.forEach((key) => asked.append("id", key));
    link.href = `${link.dataset.export}?${asked}`;
  }
  for (const form of bar.querySelectorAll("[data-selected]")) {
    form.querySelectorAll("input[name=id]").forEach((input) => input.remove());
    for (const key of chosen) {
      const input = document.createElement("input");
      input.type = "hidden";
      input.name = "id";
      input.value = key;
      form.append(input);
    }
  }
}

// With Shift all from the last one marked up to this one become what this one becomes.
function toggle(row, further = false) {
  const all = rows();
  const [from, to] = [all.findIndex((other) => other.dataset.key === last), all.indexOf(row)].sort((a, b) => a - b);
  const on = !chosen.has(row.dataset.key);
  for (const one of further && from >= 0 ? all.slice(from, to + 1) : [row]) {
    if (on) chosen.add(one.dataset.key);
    else chosen.delete(one.dataset.key);
  }
  last = row.dataset.key;
  mark();
}

// The builder of rules, with all that the list asks for; it comes when it is first wanted.
const dialog = document.getElementById("conditions");

async function build(part) {
  for (const menu of document.querySelectorAll("[popover]:popover-open")) menu.hidePopover();
  dialog.showModal();
  const [{ Builder }] = await Promise.all([
    import(dialog.dataset.builder),
    htmx.ajax("GET", `${dialog.dataset.from}${list.querySelector("[data-address]").dataset.address}`, { target: "#conditions-form" }),
  ]);
  const element = dialog.querySelector("[data-rules]");
  if (element) Builder.of(element).begin(part);
}

dialog.addEventListener("close", () => { document.getElementById("conditions-form").replaceChildren(); });
dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
});
list.addEventListener("click", (event) => {
  const wanted = event.target.closest("[data-conditions]");
  if (wanted) build(wanted.dataset.conditions);
});

// On the window, before the shell's own keys: here / searches the list.
window.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || busy()) return;
  if (event.target === search && event.key === "Escape") {
    search.blur();
    return;
  }
  if (event.target === search && event.key === "ArrowDown") {
    event.preventDefault();
    step(1);
    return;
  }
  if (typing(event.target) || event.target.closest?.("#cell-form")) return;
  const row = document.activeElement?.closest?.(".list-row");
  const act = {
    "/": () => { search.focus(); search.select(); },
    j: () => step(1),
    k: () => step(-1),
    x: () => row && toggle(row),
    X: () => row && toggle(row, true),
    f: () => list.querySelector("[data-filter]").click(),
    F: () => build(""),
    Enter: () => row && document.activeElement === row && location.assign(row.querySelector(".who a").href),
  }[event.key];
  if (!act || (event.key === "Enter" && document.activeElement !== row)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  act();
}, true);

list.addEventListener("click", (event) => {
  const row = event.target.closest(".list-row");
  if (event.target.closest("[data-clear]")) {
    chosen = new Set();
    mark();
  } else if (event.target.matches("[data-all]")) {
    for (const one of rows()) {
      if (event.target.checked) chosen.add(one.dataset.key);
      else chosen.delete(one.dataset.key);
    }
    mark();
  } else if (row && event.target.closest(".pick")) {
    if (!event.target.matches("input")) event.preventDefault();
    if (event.shiftKey) getSelection().removeAllRanges();
    toggle(row, event.shiftKey);
  } else if (row && !event.target.closest("a, button, input, form") && !getSelection().toString()) {
    // A cell that can be changed waits for its second click, however slow.
    if (event.target.closest(".waits")) row.focus({ preventScroll: true });
    else if (!row.querySelector("form")) location.assign(row.querySelector(".who a").href);
  }
});

list.addEventListener("change", (event) => {
  const operator = event.target.closest("[data-operator]");
  if (!operator) return;
  const form = operator.form;
  const value = form.querySelector("[data-value]");
  value.hidden = ["known", "unknown"].includes(operator.value);
  const second = form.querySelector("[data-second]");
  if (second) {
    second.hidden = operator.value !== "between";
    second.querySelector("input").disabled = second.hidden;
  }
});

// Columns and views are put into another order in their menus.
list.addEventListener("click", (event) => {
  const button = event.target.closest("[data-move]");
  if (!button) return;
  const item = button.closest("li");
  if (button.dataset.move < 0) item.previousElementSibling?.before(item);
  else item.nextElementSibling?.after(item);
  button.focus();
  item.scrollIntoView({ block: "nearest" });
});

document.body.addEventListener("htmx:afterSettle", mark);
// A menu opens where there is more room, below or above its button; on a phone the stylesheet puts it at the bottom.
list.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (event.newState !== "open" || !menu.matches("[popover]")) return;
  const button = list.querySelector(`[popovertarget="${menu.id}"]`).getBoundingClientRect();
  const wide = innerWidth > 760;
  menu.style.left = wide ? `${Math.max(8, Math.min(button.left, innerWidth - menu.offsetWidth - 16))}px` : "";
  const above = wide && button.top > innerHeight - button.bottom;
  menu.style.top = wide && !above ? `${button.bottom + 4}px` : "";
  menu.style.bottom = above ? `${innerHeight - button.top + 4}px` : "";
  menu.style.maxHeight = wide ? `${(above ? button.top : innerHeight - button.bottom) - 16}px` : "";
  menu.querySelector("select, a, input")?.focus();
}, true);
