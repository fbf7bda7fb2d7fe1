// Pairs of customers by keyboard: j and k go from pair to pair, m n l decide, 1 and 2 choose all values of the left or of
// the right, u takes the last one back.
const list = document.getElementById("pairs");
const pairs = () => (list?.matches("[data-pair]") ? [list] : [...(list?.querySelectorAll("[data-pair]") ?? [])]);
const current = () => document.activeElement?.closest?.("[data-pair]") ?? null;
let place = 0;

function go(to) {
  const all = pairs();
  if (!all.length) return;
  place = Math.min(Math.max(to, 0), all.length - 1);
  all[place].focus({ preventScroll: true });
  all[place].scrollIntoView({ block: "nearest" });
}

function decide(key) {
  const all = pairs();
  const pair = current() ?? all[Math.min(place, all.length - 1)];
  pair?.querySelector(`[data-key="${key}"]`)?.click();
}

function choose(side) {
  const all = pairs();
  const pair = current() ?? all[Math.min(place, all.length - 1)];
  for (const one of pair?.querySelectorAll(`.pick input[value="${side}"]`) ?? []) one.checked = true;
}

// On the window, before the shell's own keys.
window.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=radio]), textarea, select, [contenteditable]");
  if (event.ctrlKey || event.metaKey || event.altKey || typing || document.querySelector("dialog[open]")) return;
  const at = pairs().indexOf(current());
  const act = {
    j: () => go(at < 0 ? 0 : at + 1),
    k: () => go(at < 0 ? 0 : at - 1),
    m: () => decide("m"),
    n: () => decide("n"),
    l: () => decide("l"),
    1: () => choose("left"),
    2: () => choose("right"),
    u: () => [...document.querySelectorAll("#toasts .undo")].pop()?.click(),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  act();
}, true);

list?.addEventListener("htmx:beforeSwap", (event) => {
  place = Math.max(0, pairs().indexOf(event.target.closest?.("[data-pair]")));
});

// The card of a decided pair is gone (what is told of it comes to the list, which still stands): the next one takes its
// place; after the last the page is asked anew.
list?.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful) return;
  if (pairs().length) go(place);
  else location.reload();
});
