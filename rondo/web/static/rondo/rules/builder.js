// The builder of rules: rows and groups beside the text form, two views of one rule. What is sent is the text; without
// this script the text field is all there is. It knows rules and nothing of the page that it stands on: the page hears
// “rulewritten” from the text field when a change has been written into it.
import { Drags } from "./drags.js";
import { fill } from "./dom.js";
import * as model from "./model.js";
import { Picker } from "./picker.js";
import { groupRow } from "./rows.js";

const PAUSE = 250; // milliseconds without a change before the rule is sent
const KEPT = 200; // steps that can be undone
const VIEW = "rondo.rules.view";

const built = new WeakMap();

export class Builder {
  // The builder of an element, made when it is first asked for.
  static of(element) {
    if (!built.has(element)) {
      const rule = new Builder(element);
      built.set(element, rule);
      rule.start();
    }
    return built.get(element);
  }

  constructor(element) {
    this.element = element;
    this.area = element.querySelector("textarea");
    this.schema = JSON.parse(element.querySelector("[data-schema] script").textContent);
    this.words = this.schema.words;
    this.fields = new Map(this.schema.fields.flatMap(({ before: [key, label], items, ...common }) => items.map(([own, said]) => [key + own, { ...common, key: key + own, label: label + said }])));
    this.details = new Map(this.schema.details.map((one) => [one.key, { ...one, choices: one.refers ? this.schema[one.refers] : one.choices }]));
    this.kinds = new Map(this.schema.kinds.map(([key, , details]) => [key, details]));
    this.optional = element.hasAttribute("data-optional");
    this.past = [];
    this.future = [];
    this.problems = [];
    this.sent = 0;
    this.tree = element.querySelector("[data-tree]");
    this.status = element.querySelector("[data-status]");
    this.note = element.querySelector("[data-open]");
    this.views = element.querySelector("[data-views]");
    this.picker = new Picker(this, this.offers());
    this.listen();
    new Drags(this, this.tree);
  }

  // What is there

  field(key) { return this.fields.get(key); }
  detail(key) { return this.details.get(key); }
  detailsOf(kind) { return (this.kinds.get(kind) ?? []).map((key) => this.details.get(key)); }
  operatorsOf(term) { return term.operators; }
  hint(term) { return term?.hint; }

  offers() {
    const { schema, words } = this;
    const fields = [...this.fields.values()].map((term) => ({ ...term, make: () => model.comparison("field", term, term.operators, schema.today) }));
    const [first] = schema.kinds[0];
    const period = { op: "within_last", values: [{ span: 90, unit: "days" }] };
    const form = "behavioural";
    const events = schema.kinds.map(([key, label]) => ({ key, label, form, group: "events", make: () => ({ did: this.event(key), count: { op: "at_least", n: 1 }, period: structuredClone(period) }) }));
    const chain = { key: "then", label: words.sequence, form, group: "events", make: () => ({ sequence: [this.event(first), this.event(first)], within: { span: 30, unit: "days" } }) };
    const roles = schema.roles.map(([key, label]) => ({ key, label, group: "links", make: () => ({ linked: key, direction: "to" }) }));
    const segments = schema.segments.map(([key, label]) => ({ key, label, group: "segments", make: () => ({ segment: key }) }));
    return [...fields, chain, ...events, ...roles, ...segments, ...this.examples()];
  }

  examples() {
    return this.schema.examples.map(({ label, form, rule }, n) => ({ key: `example ${n}`, label, form, group: "examples", make: () => model.settled(structuredClone(rule)) }));
  }

  // An event as it begins: with the details that it is seldom asked for without.
  event(kind) {
    return { kind, where: this.usual(kind, []) };
  }

  usual(kind, where) {
    const missing = this.detailsOf(kind).filter((detail) => detail.usual && !where.some((part) => part.detail === detail.key));
    return missing.map((detail) => {
      const part = model.comparison("detail", detail, detail.operators, this.schema.today);
      if (detail.type === "choice" && !detail.among) part.values = [detail.choices[0][0]];
      return part;
    });
  }

  // The choices of a detail that go with its event: with the kind, or with what its other details are asked for.
  choicesOf(term, event) {
    if (!term.among || !event) return term.choices;
    const said = [event.kind, ...event.where.filter((part) => part.detail !== term.key && part.op === "is").flatMap((part) => part.values)];
    const fitting = said.flatMap((one) => term.among[one] ?? []);
    return fitting.length ? term.choices.filter(([value]) => fitting.includes(value)) : term.choices;
  }

  // Takes out of an event's details what no longer goes with the others.
  fit(event) {
    for (const part of event.where) {
      const term = this.detail(part.detail);
      if (!term?.among || !model.SEVERAL.has(part.op)) continue;
      const fitting = new Set(this.choicesOf(term, event).map(([value]) => value));
      part.values = part.values.filter((value) => fitting.has(value));
    }
  }

  // Changes: each is one step of undo; what is typed into one field is one step together

  change(act, focus) {
    this.remember();
    act();
    this.changed(focus);
  }

  type(path, value, whole = false) {
    const key = path.join("/");
    if (this.typing !== key || whole) this.remember();
    this.typing = key;
    model.at(this.root, path.slice(0, -1))[path.at(-1)] = value;
    this.buttons();
    this.schedule();
  }

  remember() {
    this.typing = null;
    this.past.push(structuredClone(this.root));
    if (this.past.length > KEPT) this.past.shift();
    this.future = [];
  }

  changed(focus, words = "") {
    this.problems = [];
    this.render(focus);
    if (words) this.say(words);
    this.schedule();
  }

  travel(from, to, words) {
    if (!from.length) return;
    this.typing = null;
    to.push(this.root);
    this.root = from.pop();
    this.changed(null, words);
  }

  undo() { this.travel(this.past, this.future, this.words.undone); }
  redo() { this.travel(this.future, this.past, this.words.redone); }

  insert(around, place, node) {
    const { mode } = model.junction(model.at(this.root, around));
    const parts = model.flat(mode, node);
    this.change(() => parts.forEach((part, n) => model.insert(this.root, around, place + n, part)), parts[0]);
  }

  remove(path) {
    let focus;
    this.remember();
    focus = model.remove(this.root, path);
    this.changed(focus, this.words.removed);
  }

  duplicate(path) {
    const { around, place } = model.home(path);
    const copy = structuredClone(model.at(this.root, path));
    this.remember();
    model.insert(this.root, around, place + 1, copy);
    this.changed(copy, this.words.duplicated);
  }

  step(path, by) {
    this.moving(path, `#${by < 0 ? "up" : "down"}`, () => model.step(this.root, path, by));
  }

  move(path, around, place) {
    this.moving(path, "#up", () => model.move(this.root, path, around, place));
  }

  moving(path, button, act) {
    const node = model.at(this.root, path);
    const before = structuredClone(this.root);
    if (!act()) return;
    this.typing = null;
    this.past.push(before);
    this.future = [];
    this.changed(`${model.pathOf(this.root, node).join("/")}${button}`, this.words.moved);
  }

  mode(path, mode) {
    this.change(() => { this.root = model.setMode(this.root, path, mode); }, `${path.join("/")}#mode`);
  }

  wrap(path) {
    const node = model.at(this.root, path);
    this.change(() => { this.root = model.replaced(this.root, path, { any: [node] }); }, `${path.join("/")}#mode`);
  }

  ungroup(path) {
    const { around, place } = model.home(path);
    const { parts } = model.junction(model.at(this.root, path));
    this.change(() => model.junction(model.at(this.root, around)).parts.splice(place, 1, ...parts), parts[0] ?? around);
  }

  swap(path, node) {
    this.change(() => { this.root = model.replaced(this.root, path, node); }, node);
  }

  // Puts a “not” before a condition, or takes it away.
  turn(path) {
    const { node, negated } = model.leaf(model.at(this.root, path));
    this.root = model.replaced(this.root, path, negated ? node : { not: node });
  }

  negate(path) {
    this.change(() => this.turn(path), `${path.join("/")}#not`);
  }

  pick(opener, chosen) {
    this.picker.open(opener, chosen);
  }

  // Showing

  render(focus) {
    const kept = focus ?? document.activeElement?.dataset?.at;
    const inside = this.tree.contains(document.activeElement) || focus;
    this.tree.replaceChildren(groupRow(this, []));
    this.mark();
    this.buttons();
    if (inside && kept !== undefined) this.focus(kept);
  }

  buttons() {
    this.element.querySelector("[data-undo]").disabled = !this.past.length;
    this.element.querySelector("[data-redo]").disabled = !this.future.length;
  }

  // Gives the focus to the control of a path, of a node (what it misses first), or the nearest one around.
  focus(wanted) {
    let path = wanted;
    if (wanted !== null && typeof wanted === "object" && !Array.isArray(wanted)) {
      path = model.pathOf(this.root, wanted);
      path = model.missing(wanted, path) ?? path;
    }
    const text = Array.isArray(path) ? path.join("/") : String(path ?? "");
    const exact = this.tree.querySelector(`[data-at="${CSS.escape(text)}"]:not(:disabled)`);
    const within = exact ?? this.tree.querySelector(`[data-row="${CSS.escape(text)}"] .rule-body :is(input, select, button, summary)`);
    const steps = text.split("#")[0].split("/");
    let around = within;
    while (!around && steps.length) {
      const outer = steps.join("/");
      around = this.tree.querySelector(`[data-row="${CSS.escape(outer)}"] :is(input, select, button, summary)`) ?? this.tree.querySelector(`[data-at="${CSS.escape(outer)}#add"]`);
      steps.pop();
    }
    (around ?? this.tree.querySelector("[data-at='#add']"))?.focus();
  }

  // Told to who listens and, where it asks for something, shown.
  say(words, shown = false) {
    this.status.textContent = words;
    if (shown) this.note.textContent = words;
  }

  // Shows each problem at its row and at the control that it is about.
  mark() {
    for (const one of this.tree.querySelectorAll(".rule-row > .rule-body > .error")) one.hidden = true;
    for (const one of this.tree.querySelectorAll("[aria-invalid]")) {
      one.removeAttribute("aria-invalid");
      one.removeAttribute("aria-describedby");
    }
    for (const problem of this.problems) {
      const row = this.nearest(problem.path, (text) => `[data-row="${CSS.escape(text)}"]:has(> .rule-row)`);
      const error = row?.querySelector(":scope > .rule-row > .rule-body > .error");
      const value = model.at(this.root, problem.path);
      const missing = value === "" || (Array.isArray(value) && !value.length);
      const control = this.nearest(problem.path, (text) => `[data-at="${CSS.escape(text)}"]`, row) ?? row?.querySelector("input, select, summary");
      if (!error) continue;
      const sentence = missing ? this.words.missing : problem.sentence;
      error.textContent = error.hidden ? sentence : `${error.textContent} ${sentence}`;
      error.classList.toggle("is-missing", missing);
      error.hidden = false;
      if (!missing) control?.setAttribute("aria-invalid", "true");
      control?.setAttribute("aria-describedby", error.id);
    }
    const open = this.problems.length;
    this.element.toggleAttribute("data-unfinished", open > 0);
    this.note.textContent = open > 1 ? fill(this.words.open, { n: open }) : open ? this.words.openOne : "";
  }

  nearest(path, selector, root = this.tree) {
    for (let length = path.length; length > 0; length -= 1) {
      const found = root?.querySelector(selector(path.slice(0, length).join("/")));
      if (found) return found;
    }
    return null;
  }

  // Between the views

  get view() { return this.element.dataset.view; }

  show(view, focus = false) {
    this.element.dataset.view = view;
    this.area.required = view === "text" && !this.optional;
    for (const button of this.views.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.shows === view));
    if (view === "rows") this.render();
    if (focus && view === "text") this.area.focus();
  }

  async toText() {
    await this.flush();
    this.show("text", true);
    if (this.problems.length) this.tell();
  }

  // The text as rows. A text that the rows wrote themselves leads back to them as they were, finished or not.
  async toRows() {
    if (this.root && this.area.value === this.written) {
      this.show("rows");
      return;
    }
    const answer = await this.ask({ text: this.area.value });
    if (!answer) return;
    if (!answer.rule) {
      this.say(fill(this.words.mend, { problem: answer.problems[0].told }), true);
      this.area.focus();
      return;
    }
    if (this.root) this.remember();
    this.take(answer);
    this.show("rows");
  }

  take(answer) {
    this.root = model.settledRoot(answer.rule.rule);
    this.written = answer.text;
    this.problems = answer.problems;
  }

  // Sending: after a pause, and only the latest answer counts

  schedule() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.write(), PAUSE);
    this.element.toggleAttribute("data-waiting", true);
  }

  async flush() {
    if (this.element.hasAttribute("data-waiting")) await this.write();
  }

  async write() {
    clearTimeout(this.timer);
    const answer = await this.ask({ rule: JSON.stringify({ version: 1, rule: this.root }) });
    if (!answer) return;
    this.element.removeAttribute("data-waiting");
    this.problems = answer.problems;
    this.mark();
    if (answer.text === null) return;
    this.area.value = answer.text;
    this.written = answer.text;
    if (!answer.problems.length) this.tell();
  }

  tell() {
    this.area.dispatchEvent(new CustomEvent("rulewritten", { bubbles: true }));
  }

  // Null where a later question made the answer stale, or none came.
  async ask(fields) {
    this.sent += 1;
    const mine = this.sent;
    const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
    try {
      const answer = await fetch(this.element.dataset.turn, { method: "POST", headers: { "X-CSRFToken": token }, body: new URLSearchParams(fields) });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      return mine === this.sent ? found : null;
    } catch {
      if (mine === this.sent) this.say(this.words.failed, true);
      return null;
    }
  }

  // Names of the catalogue that hold what was typed, after a short pause; null where more was typed meanwhile.
  async suggested(term, text) {
    this.typed = text;
    await new Promise((done) => { setTimeout(done, PAUSE); });
    if (this.typed !== text || !text.trim()) return null;
    const asked = new URLSearchParams({ [this.fields.get(term.key) === term ? "field" : "detail"]: term.key, q: text });
    const answer = await fetch(`${this.element.dataset.values}?${asked}`).catch(() => null);
    if (!answer?.ok || this.typed !== text) return null;
    return (await answer.json()).values;
  }

  // A form is not sent with a rule that is not finished, or not written yet.
  async submit(event) {
    if (this.view !== "rows") return;
    const waiting = this.element.hasAttribute("data-waiting");
    if (!waiting && !this.problems.length && (this.optional || this.area.value.trim())) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { submitter } = event;
    await this.flush();
    if (this.element.hasAttribute("data-waiting")) return;
    if (this.problems.length) {
      this.say(this.note.textContent);
      this.focus(this.problems[0].path);
    } else if (!this.optional && !this.area.value.trim()) {
      this.say(this.words.anything, true);
      this.focus("#add");
    } else this.area.form.requestSubmit(submitter);
  }

  listen() {
    this.views.addEventListener("click", (event) => {
      const wanted = event.target.closest("[data-shows]")?.dataset.shows;
      if (!wanted || wanted === this.view) return;
      try { localStorage.setItem(VIEW, wanted); } catch { /* the choice is not kept */ }
      if (wanted === "text") this.toText();
      else this.toRows();
    });
    this.element.querySelector("[data-undo]").addEventListener("click", () => this.undo());
    this.element.querySelector("[data-redo]").addEventListener("click", () => this.redo());
    this.area.addEventListener("input", () => { this.note.textContent = ""; });
    this.tree.addEventListener("keydown", (event) => this.key(event));
    this.tree.addEventListener("focusout", () => { this.typing = null; });
    this.area.form?.addEventListener("submit", (event) => this.submit(event), true);
    document.addEventListener("click", (event) => {
      for (const box of this.tree.querySelectorAll("details[open]")) if (!box.contains(event.target)) box.open = false;
    });
  }

  // Gives the focus to one of the outermost conditions, else to what adds one.
  begin(place) {
    if (this.view === "text") this.area.focus();
    else this.focus(this.tree.querySelectorAll(":scope > .rule-group > .rule-list > .rule-item")[place || -1]?.dataset.row ?? "#add");
  }

  key(event) {
    const row = event.target.closest("[data-row]");
    const letter = event.key.toLowerCase();
    const typing = event.target.matches("input:not([type=checkbox])");
    if ((event.ctrlKey || event.metaKey) && !typing && (letter === "z" || letter === "y")) {
      event.preventDefault();
      if (letter === "y" || event.shiftKey) this.redo();
      else this.undo();
    } else if (event.altKey && row && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      const path = row.dataset.row.split("/").map((part) => (/^\d+$/.test(part) ? Number(part) : part));
      this.step(path, event.key === "ArrowUp" ? -1 : 1);
    } else if (event.key === "Enter" && typing) event.preventDefault();
  }

  start() {
    const begin = JSON.parse(this.element.querySelector("[data-start] script").textContent);
    if (begin.rule) this.take(begin);
    let view = "rows";
    try { view = localStorage.getItem(VIEW) ?? "rows"; } catch { /* the first view is shown */ }
    this.views.hidden = false;
    this.show(begin.rule ? view : "text");
  }
}

for (const element of document.querySelectorAll("[data-rules]")) Builder.of(element);
