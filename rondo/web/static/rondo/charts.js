// Charts: the spoken label of a mark is its tooltip, for the pointer, the finger and the keyboard; a button swaps the
// drawing for its table.
let tip = null;

function hide() {
  tip?.remove();
  tip = null;
}

function show(mark) {
  const label = mark.getAttribute("aria-label");
  if (!label) return;
  if (!tip) {
    tip = document.createElement("div");
    tip.className = "chart-tip";
    tip.setAttribute("aria-hidden", "true");
    document.body.append(tip);
  }
  tip.textContent = label;
  const box = mark.getBoundingClientRect();
  const own = tip.getBoundingClientRect();
  const left = Math.min(Math.max(8, box.left + box.width / 2 - own.width / 2), innerWidth - own.width - 8);
  const above = box.top - own.height - 8;
  tip.style.left = `${left}px`;
  tip.style.top = `${above > 8 ? above : box.bottom + 8}px`;
}

const markOf = (target) => target.closest?.(".chart svg .marked") ?? target.querySelector?.(":scope > .marked");

document.addEventListener("pointerover", (event) => {
  const mark = markOf(event.target);
  if (mark) show(mark);
  else hide();
});
document.addEventListener("focusin", (event) => {
  const mark = event.target.closest?.(".chart svg") ? markOf(event.target) ?? event.target.querySelector(".marked") : null;
  if (mark) show(mark);
  else hide();
});
document.addEventListener("scroll", hide, { passive: true, capture: true });

// Arrow keys walk along the marks of one drawing; Tab leaves it.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const drawing = step && event.target.closest?.(".chart svg.drawing");
  if (!drawing) return;
  event.preventDefault();
  const stops = [...drawing.querySelectorAll("[data-stop]")];
  const at = stops.indexOf(event.target.closest("[data-stop]"));
  stops[(at + step + stops.length) % stops.length].focus();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-chart-table]");
  if (!button) return;
  const chart = button.closest(".chart");
  const tabled = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(tabled));
  chart.querySelector(".chart-drawing").hidden = tabled;
  chart.querySelector(".chart-table").hidden = !tabled;
});
