// The customer page: two keys open the contact form, Ctrl-Enter saves it, what is saved shows at once; three tabs on a phone.
const composer = document.getElementById("composer");
const columns = document.querySelector(".customer-columns");
const tabs = [...document.querySelectorAll(".customer-tabs [role=tab]")];

function choose(tab, focus = false) {
  for (const other of tabs) {
    other.setAttribute("aria-selected", String(other === tab));
    other.tabIndex = other === tab ? 0 : -1;
  }
  columns.dataset.tab = tab.getAttribute("aria-controls");
  if (focus) tab.focus();
}

tabs.forEach((tab, at) => {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by) choose(tabs[(at + by + tabs.length) % tabs.length], true);
  });
});

// One of the quick kinds, or the other list: choosing in one empties the other. Only who leaves has a reason for it.
function kindChanged(event) {
  const other = composer.elements.other;
  if (!other) return;
  if (event?.target === other && other.value) {
    composer.querySelectorAll("[name=kind]").forEach((kind) => { kind.checked = false; });
  } else if (event?.target.name === "kind") {
    other.value = "";
  }
  if (!composer.querySelector("option[data-leaves]:checked")) composer.elements.reason.value = "";
}

function open(letter) {
  const kind = composer.querySelector(`[data-letter="${letter}"]`);
  if (!kind) return;
  choose(document.getElementById("tab-chain"));
  kind.checked = true;
  if (composer.elements.other) composer.elements.other.value = "";
  composer.elements.body.focus();
  composer.scrollIntoView({ block: "nearest" });
}

// What is being saved stands on top of the chain at once; the answer, or a failure, takes its place.
function pending() {
  const kind = composer.querySelector("[name=kind]:checked")?.closest("label");
  const entry = document.createElement("li");
  entry.className = "entry pending";
  const mark = document.createElement("span");
  mark.className = "mark";
  if (kind) mark.append(kind.querySelector("svg").cloneNode(true));
  const what = document.createElement("div");
  what.className = "what";
  const title = document.createElement("p");
  title.className = "strong";
  title.textContent = kind ? kind.textContent.trim() : composer.elements.other.selectedOptions[0].textContent;
  const body = document.createElement("div");
  body.className = "entry-body";
  body.textContent = composer.elements.body.value;
  what.append(title, body);
  const when = document.createElement("span");
  when.className = "when";
  when.textContent = composer.dataset.saving;
  entry.append(mark, what, when);
  document.getElementById("timeline")?.prepend(entry);
}

if (composer) {
  composer.addEventListener("change", kindChanged);
  composer.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      composer.requestSubmit();
    } else if (event.key === "Escape") {
      composer.elements.body.blur();
    }
  });
  const mine = (event) => event.detail.elt === composer;
  document.body.addEventListener("htmx:beforeSend", (event) => {
    if (!mine(event)) return;
    composer.querySelector("button.primary").disabled = true;
    pending();
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (!mine(event)) return;
    composer.querySelector("button.primary").disabled = false;
    if (event.detail.successful) {
      composer.elements.body.value = "";
      composer.elements.occurred_at.value = "";
      composer.elements.category.value = "";
      composer.elements.reason.value = "";
      composer.querySelectorAll(".composer-when").forEach((more) => { more.open = false; });
      composer.elements.body.blur();
    } else {
      document.querySelector(".entry.pending")?.remove();
      composer.elements.body.focus();
    }
  });
}

function link() {
  const adding = document.getElementById("link-add");
  choose(document.getElementById("tab-who"));
  adding.open = true;
  adding.scrollIntoView({ block: "center" });
  adding.querySelector("[name=q]").focus();
}

window.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open], [popover]:popover-open")) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  const act = { l: document.getElementById("link-add") && link, n: composer && (() => open("n")), c: composer && (() => open("c")), e: () => document.querySelector("[data-edit]")?.click() }[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  act();
}, true);

document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "who-body") event.detail.target.querySelector("input:not([type=hidden]), select")?.focus();
});
