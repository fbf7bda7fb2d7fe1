// Rows are dragged by their grip; by keyboard, the buttons of a row and Alt with an arrow do the same.
import { at, home, junction, under } from "./model.js";

const steps = (text) => text.split("/").filter(Boolean).map((part) => (/^\d+$/.test(part) ? Number(part) : part));

export class Drags {
  constructor(rule, tree) {
    this.rule = rule;
    this.tree = tree;
    tree.addEventListener("dragstart", (event) => this.begin(event));
    tree.addEventListener("dragover", (event) => this.over(event));
    tree.addEventListener("drop", (event) => this.drop(event));
    tree.addEventListener("dragend", () => this.end());
  }

  begin(event) {
    const grip = event.target.closest?.("[data-grip]");
    if (!grip) return;
    this.path = JSON.parse(grip.dataset.grip);
    const row = grip.closest("[data-row]");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
    event.dataTransfer.setDragImage(row, 8, 8);
    requestAnimationFrame(() => row.classList.add("is-dragged"));
  }

  // The group and the place in it that the pointer is over.
  target(event) {
    const row = event.target.closest("[data-row]");
    const group = event.target.closest("[data-group]");
    if (row && (!group || group.contains(row))) return this.beside(row, event);
    if (!group) return null;
    const path = steps(group.dataset.group);
    return { around: path, place: junction(at(this.rule.root, path)).parts.length, element: group, side: "within" };
  }

  beside(row, event) {
    const { around, place } = home(steps(row.dataset.row));
    const box = row.getBoundingClientRect();
    const below = event.clientY > box.top + box.height / 2;
    return { around, place: place + (below ? 1 : 0), element: row, side: below ? "below" : "above" };
  }

  over(event) {
    if (!this.path) return;
    const target = this.target(event);
    this.clear();
    if (!target || under(target.around, this.path)) return;
    event.preventDefault();
    target.element.dataset.drop = target.side;
  }

  drop(event) {
    if (!this.path) return;
    const target = this.target(event);
    const { path } = this;
    event.preventDefault();
    this.end();
    if (target) this.rule.move(path, target.around, target.place);
  }

  clear() {
    for (const one of this.tree.querySelectorAll("[data-drop]")) delete one.dataset.drop;
  }

  end() {
    this.path = null;
    this.clear();
    for (const one of this.tree.querySelectorAll(".is-dragged")) one.classList.remove("is-dragged");
  }
}
