// Groups and their conditions as rows: what each is made of, and the buttons that change, move and remove it.
import { did, operator, sequence } from "./events.js";
import { choose, fill, h, icon } from "./dom.js";
import { at, flat, group, home, junction, leaf } from "./model.js";
import { values } from "./values.js";

const JOINTS = { all: "and", any: "or", none: "nor", not_all: "and" };

function action(rule, path, name, symbol, label, act, disabled = false) {
  return h("button", { type: "button", class: "button ghost square small", "data-at": `${path.join("/")}#${name}`, "aria-label": label, title: label, disabled, onclick: act }, icon(symbol));
}

// The buttons of a row or of a group within another.
function actions(rule, path, isGroup) {
  const { words } = rule;
  const { around, place } = home(path);
  const top = !around.length || around.at(-1) === "rule";
  const last = junction(at(rule.root, around)).parts.length - 1;
  return h("div", { class: "rule-actions" },
    h("span", { class: "rule-grip", draggable: "true", title: words.drag, "aria-hidden": "true", "data-grip": JSON.stringify(path) }, icon("grip-vertical")),
    action(rule, path, "up", "arrow-up", words.moveUp, () => rule.step(path, -1), top && place === 0),
    action(rule, path, "down", "arrow-down", words.moveDown, () => rule.step(path, 1), top && place === last),
    isGroup
      ? action(rule, path, "ungroup", "ungroup", words.ungroup, () => rule.ungroup(path))
      : action(rule, path, "wrap", "group", words.inGroup, () => rule.wrap(path)),
    action(rule, path, "copy", "copy", words.duplicate, () => rule.duplicate(path)),
    action(rule, path, "remove", "trash-2", words.remove, () => rule.remove(path)));
}

export function groupRow(rule, path, within = null) {
  const { schema, words } = rule;
  const { mode, parts, steps } = junction(at(rule.root, path));
  const label = Object.fromEntries(schema.modes)[mode];
  const change = (event) => rule.mode(path, event.target.value);
  const select = choose(schema.modes, mode, { "aria-label": words.groupWord, "data-at": `${path.join("/")}#mode`, onchange: change }, String);
  const items = parts.map((part, n) => {
    const place = [...path, ...steps, n];
    const inner = junction(part) ? groupRow(rule, place, "group") : row(rule, place);
    return h("li", { class: junction(part) ? "rule-item is-group" : "rule-item", "data-row": place.join("/") },
      n > 0 && h("span", { class: "rule-between", "aria-hidden": "true" }, words[JOINTS[mode]]), inner);
  });
  const empty = !parts.length && h("p", { class: "muted" }, mode === "all" || mode === "none" ? words.anything : words.nobody);
  const begin = !parts.length && !path.length && h("div", { class: "rule-begin" }, h("p", { class: "muted" }, words.begin), h("div", { class: "rule-adds" }, rule.examples().map((one) => h("button", { type: "button", class: "chip outline rule-more", "data-at": `#${one.key}`, onclick: () => rule.insert(path, 0, one.make()) }, one.label))));
  const add = (asGroup) => (event) => rule.pick(event.currentTarget, (node) => {
    const inner = mode === "any" ? "all" : "any";
    rule.insert(path, parts.length, asGroup ? group(inner, flat(inner, node)) : node);
  });
  return h("div", { class: "rule-group", role: "group", "aria-label": fill(words.group, { mode: label }), "data-group": path.join("/") },
    h("div", { class: "rule-head" }, within !== "link" && h("span", { class: "rule-joint" }, words.groupWord), select, within === "group" && actions(rule, path, true)),
    empty, begin, h("ol", { class: "rule-list" }, items),
    h("div", { class: "rule-foot" },
      h("button", { type: "button", class: "button small", "data-at": `${path.join("/")}#add`, onclick: add(false) }, icon("plus"), words.add),
      h("button", { type: "button", class: "button ghost small", "data-at": `${path.join("/")}#addGroup`, onclick: add(true) }, icon("plus"), words.addGroup)));
}

function row(rule, path) {
  const { words } = rule;
  const { node, steps, negated } = leaf(at(rule.root, path));
  const inner = [...path, ...steps];
  const body = node.field !== undefined ? field(rule, path, inner, node, negated)
    : node.segment !== undefined ? segment(rule, path, inner, node, negated)
      : node.linked !== undefined ? linked(rule, path, inner, node, negated)
        : node.did ? did(rule, path, inner, node, negated) : sequence(rule, path, inner, node, negated);
  const { place } = home(path);
  return h("div", { class: "rule-row", role: "group", "aria-label": fill(words.condition, { n: place + 1 }) },
    h("div", { class: "rule-body" }, body, h("p", { class: "error", id: `rule-error-${path.join("-")}`, hidden: true })), actions(rule, path, false));
}

const line = (...parts) => h("div", { class: "rule-line" }, parts);

function field(rule, path, inner, node, negated) {
  const { words } = rule;
  const term = rule.field(node.field);
  const label = term?.label ?? fill(words.gone, { key: node.field });
  const change = (event) => rule.pick(event.currentTarget, (next) => rule.swap(path, next));
  const name = h("button", { type: "button", class: "button rule-field", "data-at": [...inner, "field"].join("/"), "aria-label": fill(words.change, { field: label }), title: rule.hint(term), onclick: change }, h("span", { class: "truncate" }, label), icon("chevron-down"));
  const not = negated && h("span", { class: "chip filter" }, words.not, h("button", { type: "button", "aria-label": words.removeNot, "data-at": `${path.join("/")}#not`, onclick: () => rule.negate(path) }, icon("x")));
  return line(not, name, operator(rule, inner, node, term, label), values(rule, term, [...inner, "values"], node.op, label));
}

function segment(rule, path, inner, node, negated) {
  const { schema, words } = rule;
  const verb = choose([["", words.inSegment], ["not", words.notInSegment]], negated ? "not" : "", { "aria-label": words.inSegment, "data-at": `${path.join("/")}#not`, onchange: () => rule.negate(path) }, String);
  const place = [...inner, "segment"];
  const put = (event) => rule.change(() => { node.segment = event.target.value; }, place);
  const select = choose(schema.segments, node.segment, { "aria-label": words.segment, "data-at": place.join("/"), onchange: put }, (key) => (key ? fill(words.gone, { key }) : words.choose));
  return line(verb, select);
}

function linked(rule, path, inner, node, negated) {
  const { schema, words } = rule;
  const forms = [["to", words.linkTo], ["by", words.linkBy], ["not to", words.linkNotTo], ["not by", words.linkNotBy]];
  const direction = node.direction ?? "to";
  const put = (event) => rule.change(() => {
    node.direction = event.target.value.split(" ").at(-1);
    if (event.target.value.startsWith("not") !== negated) rule.turn(path);
  }, `${path.join("/")}#way`);
  const way = choose(forms, `${negated ? "not " : ""}${direction}`, { "aria-label": words.linkWay, "data-at": `${path.join("/")}#way`, onchange: put }, String);
  const place = [...inner, "linked"];
  const role = choose(schema.roles, node.linked, { "aria-label": words.linkRole, "data-at": place.join("/"), onchange: (event) => rule.change(() => { node.linked = event.target.value; }, place) }, (key) => fill(words.gone, { key }));
  const about = (event) => rule.pick(event.currentTarget, (next) => rule.change(() => { node.rule = { all: [next] }; }, [...inner, "rule", "all", 0]));
  return [
    line(way, role, h("span", { class: "rule-joint" }, direction === "to" ? words.linkBy : words.linkTo, node.rule ? `, ${words.linkWhere}` : "")),
    node.rule ? groupRow(rule, [...inner, "rule"], "link") : h("div", { class: "rule-adds" }, h("button", { type: "button", class: "chip outline rule-more", "data-at": `${inner.join("/")}#about`, onclick: about }, icon("plus"), words.aboutThem)),
  ];
}
