// The list as a board: cards by keyboard, and moved from lane to lane by mouse, keys, or a menu of lanes.
const list = document.getElementById("list");
let focus = "";
let dragged = null;

const board = () => list.querySelector(".board");
const lanes = () => [...list.querySelectorAll(".lane")];
const card = () => document.activeElement?.closest?.(".board-card");

async function move(one, value) {
  const seen = one.closest(".lane").dataset.value;
  if (value === undefined || seen === undefined || value === seen || !board()?.hasAttribute("data-movable")) return;
  focus = one.dataset.key;
  const { pathname } = new URL(one.querySelector("a").href);
  const scrolled = board().scrollLeft;
  await htmx.ajax("POST", `${pathname}move${list.querySelector("[data-address]").dataset.address}`, {
    target: "#list", swap: "innerHTML", values: { value, seen },
  });
  if (board()) board().scrollLeft = scrolled;
  const again = list.querySelector(`.board-card[data-key="${CSS.escape(focus)}"]`);
  again?.focus({ preventScroll: true });
  again?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function step(one, by) {
  const all = [...one.closest(".cards").querySelectorAll(".board-card")];
  all[Math.min(Math.max(all.indexOf(one) + by, 0), all.length - 1)].focus();
}

function aside(one, by) {
  const all = lanes();
  const at = [...one.closest(".cards").children].indexOf(one);
  for (let to = all.indexOf(one.closest(".lane")) + by; to >= 0 && to < all.length; to += by) {
    const cards = all[to].querySelectorAll(".board-card");
    if (cards.length) {
      cards[Math.min(at, cards.length - 1)].focus();
      return;
    }
  }
}

window.addEventListener("keydown", (event) => {
  if (!board() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select") || document.querySelector("dialog[open], [popover]:popover-open")) return;
  const one = card();
  const first = () => list.querySelector(".board-card")?.focus();
  const sideways = (by) => {
    if (!event.shiftKey) return aside(one, by);
    const all = lanes();
    const to = all[all.indexOf(one.closest(".lane")) + by];
    return to && move(one, to.dataset.value);
  };
  const act = {
    j: () => (one ? step(one, 1) : first()),
    k: () => (one ? step(one, -1) : first()),
    ArrowDown: one && (() => step(one, 1)),
    ArrowUp: one && (() => step(one, -1)),
    ArrowRight: one && (() => sideways(1)),
    ArrowLeft: one && (() => sideways(-1)),
    Enter: one && document.activeElement === one && (() => location.assign(one.querySelector("a").href)),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  act();
}, true);

list.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(".board-card");
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.key);
  dragged.classList.add("dragged");
});
list.addEventListener("dragend", () => {
  dragged?.classList.remove("dragged");
  dragged = null;
  for (const lane of lanes()) lane.classList.remove("over");
});
list.addEventListener("dragover", (event) => {
  const lane = dragged && event.target.closest?.(".lane");
  if (!lane) return;
  event.preventDefault();
  for (const one of lanes()) one.classList.toggle("over", one === lane);
});
list.addEventListener("drop", (event) => {
  const lane = dragged && event.target.closest?.(".lane");
  if (!lane) return;
  event.preventDefault();
  move(dragged, lane.dataset.value);
});

list.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-move-card]");
  if (opener) {
    const one = opener.closest(".board-card");
    focus = one.dataset.key;
    for (const button of document.querySelectorAll("#move-card [data-to]")) {
      button.disabled = button.dataset.to === one.closest(".lane").dataset.value;
    }
    document.getElementById("move-card").showModal();
    return;
  }
  const to = event.target.closest("[data-to]");
  if (!to) return;
  document.getElementById("move-card").close();
  const one = list.querySelector(`.board-card[data-key="${CSS.escape(focus)}"]`);
  if (one) move(one, to.dataset.to);
});
