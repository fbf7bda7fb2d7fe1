// Rows about what customers did: events with details, how often, for how much and when; and one after the other.
import { choose, fill, h, icon } from "./dom.js";
import { at, comparison, retuned } from "./model.js";
import { span, values, whole } from "./values.js";

const NINETY = { op: "within_last", values: [{ span: 90, unit: "days" }] };

const chip = (label, at_, act, name = label) => h("button", { type: "button", class: "chip outline rule-more", "data-at": at_, "aria-label": name, onclick: act }, icon("plus"), label);

function less(rule, label, at_, act) {
  const name = fill(rule.words.removePart, { part: label });
  return h("button", { type: "button", class: "button ghost square small", "aria-label": name, title: name, "data-at": at_, onclick: act }, icon("x"));
}

const line = (...parts) => h("div", { class: "rule-line" }, parts);
const clause = (...parts) => h("span", { class: "rule-clause" }, parts);

// The kind of an event; details that another kind has not are given up with it.
function kind(rule, place) {
  const { schema, words } = rule;
  const event = at(rule.root, place);
  const put = (changed) => rule.change(() => {
    event.kind = changed.target.value;
    const known = rule.detailsOf(event.kind);
    event.where = event.where.filter((part) => known.some((detail) => detail.key === part.detail));
    event.where.push(...rule.usual(event.kind, event.where));
    rule.fit(event);
  }, [...place, "kind"]);
  return choose(schema.kinds, event.kind, { "aria-label": words.kind, "data-at": [...place, "kind"].join("/"), onchange: put }, (key) => (key ? fill(words.gone, { key }) : words.choose));
}

function details(rule, place) {
  const { words } = rule;
  const event = at(rule.root, place);
  const known = rule.detailsOf(event.kind);
  return event.where.map((part, n) => {
    const path = [...place, "where", n];
    const term = rule.detail(part.detail);
    const label = term?.label ?? part.detail;
    const put = (changed) => rule.change(() => {
      const next = rule.detail(changed.target.value);
      event.where[n] = comparison("detail", next, rule.operatorsOf(next), rule.schema.today);
    }, [...path, "detail"]);
    const select = choose(known.map((detail) => [detail.key, detail.label]), part.detail, { "aria-label": words.detail, "data-at": [...path, "detail"].join("/"), onchange: put }, (key) => fill(words.gone, { key }));
    const drop = () => rule.change(() => event.where.splice(n, 1), [...place, "kind"]);
    return line(h("span", { class: "rule-joint" }, n ? words.and : words.where), select, operator(rule, path, part, term, label), clause(values(rule, term, [...path, "values"], part.op, label, event), less(rule, label, `${path.join("/")}#drop`, drop)));
  });
}

// How a value is compared, in the words of its type.
export function operator(rule, path, part, term, label) {
  const words = rule.schema.operators[term?.type === "date" ? "date" : "other"];
  const offered = (term ? rule.operatorsOf(term) : [part.op]).map((op) => [op, words[op] ?? op]);
  const put = (event) => rule.change(() => {
    part.values = retuned(term, event.target.value, part.values, rule.schema.today);
    part.op = event.target.value;
  }, [...path, "op"]);
  return choose(offered, part.op, { "aria-label": `${label}: ${rule.words.operator}`, "data-at": [...path, "op"].join("/"), onchange: put }, (op) => words[op] ?? op);
}

const addDetail = (rule, place) => {
  const event = at(rule.root, place);
  const [first] = rule.detailsOf(event.kind).filter((detail) => !event.where.some((part) => part.detail === detail.key));
  const add = () => event.where.push(comparison("detail", first, rule.operatorsOf(first), rule.schema.today));
  return first && chip(rule.words.addDetail, `${place.join("/")}#detail`, () => rule.change(add, [...place, "where", event.where.length, "detail"]));
};

function period(rule, path, node) {
  if (!node.period) return null;
  const { words, schema } = rule;
  const place = [...path, "period"];
  const said = schema.operators.date;
  const day = { type: "date" };
  const put = (event) => rule.change(() => {
    node.period.values = retuned(day, event.target.value, node.period.values, schema.today);
    node.period.op = event.target.value;
  }, [...place, "op"]);
  const select = choose(schema.periods.map((op) => [op, said[op]]), node.period.op, { "aria-label": words.period, "data-at": [...place, "op"].join("/"), onchange: put }, String);
  const editors = values(rule, day, [...place, "values"], node.period.op, words.period);
  return clause(select, editors, less(rule, words.period, `${place.join("/")}#drop`, () => rule.change(() => delete node.period, [...path, head(node), ...(node.did ? [] : [0]), "kind"])));
}

const head = (node) => (node.did ? "did" : "sequence");
const addPeriod = (rule, path, node) => !node.period && chip(rule.words.addPeriod, `${path.join("/")}#period`, () => rule.change(() => { node.period = structuredClone(NINETY); }, [...path, "period", "op"]));

function count(rule, path, node) {
  if (!node.count || (node.count.op === "at_least" && node.count.n === 1)) return null;
  const { words } = rule;
  const place = [...path, "count"];
  const put = (event) => rule.change(() => {
    node.count.op = event.target.value;
    if (node.count.op === "at_least") node.count.n ||= 1;
  }, [...place, "op"]);
  const options = [["at_least", words.atLeast], ["at_most", words.atMost], ["exactly", words.exactly]];
  const select = choose(options, node.count.op, { "aria-label": words.addCount, "data-at": [...place, "op"].join("/"), onchange: put }, String);
  const drop = () => rule.change(() => delete node.count, [...path, "did", "kind"]);
  return clause(select, whole(rule, [...place, "n"], words.times, node.count.op === "at_least" ? 1 : 0), h("span", { class: "rule-joint" }, words.times), less(rule, words.addCount, `${place.join("/")}#drop`, drop));
}

function total(rule, path, node) {
  if (!node.total) return null;
  const { words, schema } = rule;
  const place = [...path, "total"];
  const put = (event) => rule.change(() => { node.total.op = event.target.value; }, [...place, "op"]);
  const select = choose([["at_least", words.atLeast], ["at_most", words.atMost]], node.total.op, { "aria-label": words.addTotal, "data-at": [...place, "op"].join("/"), onchange: put }, String);
  const minor = 10 ** schema.digits;
  const input = h("input", {
    type: "number", step: "any", inputmode: "decimal", value: String(node.total.amount / minor), "aria-label": words.amount, "data-at": [...place, "amount"].join("/"),
    oninput: (event) => event.target.value && rule.type([...place, "amount"], Math.round(Number(event.target.value) * minor)),
    onblur: (event) => { if (node.total) event.target.value = String(node.total.amount / minor); },
  });
  const drop = () => rule.change(() => delete node.total, [...path, "did", "kind"]);
  return clause(h("span", { class: "rule-joint" }, words.total), select, h("span", { class: "rule-number" }, input, h("span", { class: "rule-unit" }, schema.currency)), less(rule, words.total, `${place.join("/")}#drop`, drop));
}

const didWord = (rule, path, negated) => choose([["", rule.words.did], ["not", rule.words.didNot]], negated ? "not" : "", { "aria-label": rule.words.did, "data-at": `${path.join("/")}#not`, class: "rule-short", onchange: () => rule.negate(path) }, String);

export function did(rule, path, inner, node, negated) {
  const { words } = rule;
  const place = [...inner, "did"];
  const shown = count(rule, inner, node);
  const addCount = !shown && chip(words.addCount, `${inner.join("/")}#count`, () => rule.change(() => {
    node.count = { op: "at_least", n: 2 };
  }, [...inner, "count", "n"]));
  const addTotal = !node.total && chip(words.addTotal, `${inner.join("/")}#total`, () => rule.change(() => { node.total = { op: "at_least", amount: 100 * 10 ** rule.schema.digits }; }, [...inner, "total", "amount"]));
  const then = (key) => () => rule.change(() => {
    const { did: event, period: when } = node;
    const next = rule.event(event.kind);
    for (const old of Object.keys(node)) delete node[old];
    Object.assign(node, key === "then_not" ? { sequence: [event], then_not: next } : { sequence: [event, next] }, { within: { span: 30, unit: "days" } }, when && { period: when });
  }, [...inner, ...(key === "then_not" ? ["then_not"] : ["sequence", 1]), "kind"]);
  const alone = !node.total && !shown;
  return [
    line(didWord(rule, path, negated), kind(rule, place), shown, total(rule, inner, node), period(rule, inner, node)),
    details(rule, place),
    h("div", { class: "rule-adds" }, addDetail(rule, place), addCount, addTotal, addPeriod(rule, inner, node), alone && chip(words.addStep, `${inner.join("/")}#then`, then("then")), alone && chip(words.addWithout, `${inner.join("/")}#thenNot`, then("then_not"))),
  ];
}

export function sequence(rule, path, inner, node, negated) {
  const { words } = rule;
  const steps = node.sequence.length + (node.then_not ? 1 : 0);
  const rows = node.sequence.flatMap((_step, n) => {
    const place = [...inner, "sequence", n];
    const drop = n > 0 && steps > 2 && less(rule, `${words.then} ${n}`, `${place.join("/")}#drop`, () => rule.change(() => node.sequence.splice(n, 1), [...inner, "sequence", n - 1, "kind"]));
    return [
      line(n ? h("span", { class: "rule-joint" }, words.then) : didWord(rule, path, negated), kind(rule, place), n === 0 && period(rule, inner, node), drop, addDetail(rule, place), n === 0 && addPeriod(rule, inner, node)),
      ...details(rule, place),
    ];
  });
  if (node.then_not) {
    const place = [...inner, "then_not"];
    const drop = steps > 2 && less(rule, words.thenNot, `${place.join("/")}#drop`, () => rule.change(() => delete node.then_not, [...inner, "sequence", 0, "kind"]));
    rows.push(line(h("span", { class: "rule-joint" }, words.thenNot), kind(rule, place), drop, addDetail(rule, place)), ...details(rule, place));
  }
  const place = [...inner, "within"];
  const short = (units) => span(rule, place, words.afterwards, units);
  const within = node.within && line(h("span", { class: "rule-joint" }, words.afterwards), short(["days", "weeks"]), less(rule, words.afterwards, `${place.join("/")}#drop`, () => rule.change(() => delete node.within, [...inner, "sequence", 0, "kind"])));
  const next = () => rule.event(node.sequence.at(-1).kind);
  const room = steps < 3;
  const adds = h("div", { class: "rule-adds" },
    room && !node.then_not && chip(words.addStep, `${inner.join("/")}#then`, () => rule.change(() => node.sequence.push(next()), [...inner, "sequence", node.sequence.length, "kind"])),
    room && !node.then_not && chip(words.addWithout, `${inner.join("/")}#thenNot`, () => rule.change(() => { node.then_not = next(); }, [...inner, "then_not", "kind"])),
    !node.within && chip(words.addWithin, `${inner.join("/")}#within`, () => rule.change(() => { node.within = { span: 30, unit: "days" }; }, [...place, "span"])));
  return [...rows, within, adds];
}
