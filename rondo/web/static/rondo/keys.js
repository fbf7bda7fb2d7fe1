// Keys that work on every page: / and Ctrl-K search, ? the list of keys, g and a letter goes to a page.
let leader = -Infinity;

// A field of a dialog just closed keeps the focus until the next frame, but nobody types into what is gone.
function typing(target) {
  const field = target.closest?.("input, textarea, select, [contenteditable]") ?? null;
  return field !== null && (field.checkVisibility?.() ?? true);
}

function show(id) {
  const dialog = document.getElementById(id);
  if (dialog && !dialog.open) {
    document.querySelectorAll("dialog[open]").forEach((open) => open.close());
    dialog.showModal();
  }
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    show("palette");
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  if (performance.now() - leader < 1200) {
    leader = -Infinity;
    const link = document.querySelector(`.side [data-go="${CSS.escape(event.key)}"]`);
    if (link) {
      event.preventDefault();
      event.stopImmediatePropagation();
      location.assign(link.href);
    }
    return;
  }
  if (event.key === "/") {
    event.preventDefault();
    show("palette");
  } else if (event.key === "?") {
    event.preventDefault();
    show("keys");
  } else if (event.key === "g") {
    leader = performance.now();
  }
}, true);
