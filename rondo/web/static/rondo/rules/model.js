// The tree of a rule as the builder changes it: the JSON form of docs/rules.md, without a word about how it looks.
// A path is a list of keys and places; it is the one that the server's problems name.
const HEADS = { all: ["all"], any: ["any"], none: ["not", "any"], not_all: ["not", "all"] };

export const at = (root, path) => path.reduce((node, step) => node?.[step], root);
export const under = (path, outer) => outer.every((step, n) => path[n] === step);

// How a group goes together: its mode, its parts, and the steps from it to them; null for a condition.
export function junction(node) {
  for (const [mode, steps] of Object.entries(HEADS)) {
    const parts = at(node, steps);
    if (Array.isArray(parts)) return { mode, parts, steps };
  }
  return null;
}

export function group(mode, parts) {
  return HEADS[mode].toReversed().reduce((inner, step) => ({ [step]: inner }), parts);
}

// A condition without its “not”, and the steps to it.
export const leaf = (node) => ("not" in node ? { node: node.not, steps: ["not"], negated: true } : { node, steps: [], negated: false });

// The tree as the builder shows it: what is negated twice and what is asked of a link stand in groups.
export function settled(node) {
  const found = junction(node);
  if (found) return group(found.mode, found.parts.map(settled));
  const { node: bare, negated } = leaf(node);
  if (negated && "not" in bare) return { not: { any: [settled(bare)] } };
  const inner = { ...bare };
  if (inner.rule) {
    inner.rule = settled(inner.rule);
    if (!junction(inner.rule)) inner.rule = { all: [inner.rule] };
  }
  return negated ? { not: inner } : inner;
}

export function settledRoot(node) {
  const found = settled(node);
  return junction(found) ? found : { all: [found] };
}

// Where an object stands in the tree; null if it does not.
export function pathOf(root, wanted, path = []) {
  if (root === wanted) return path;
  if (root === null || typeof root !== "object") return null;
  for (const [key, part] of Object.entries(root)) {
    const found = pathOf(part, wanted, [...path, Array.isArray(root) ? Number(key) : key]);
    if (found) return found;
  }
  return null;
}

// Where the first value that is missing would stand; null where none is.
export function missing(node, path = []) {
  if (node === "" || (Array.isArray(node) && !node.length && path.at(-1) === "values")) return path;
  if (node === null || typeof node !== "object" || ["known", "unknown"].includes(node.op)) return null;
  for (const [key, part] of Object.entries(node)) {
    const found = missing(part, [...path, Array.isArray(node) ? Number(key) : key]);
    if (found) return found;
  }
  return null;
}

// The group a part stands in, by the path of the part.
export function home(path) {
  const place = path.at(-1);
  let around = path.slice(0, -2);
  if (around.at(-1) === "not") around = around.slice(0, -1);
  return { around, place };
}

const partsAt = (root, path) => junction(at(root, path)).parts;

export function insert(root, around, place, node) {
  partsAt(root, around).splice(place, 0, node);
  return node;
}

// The parts that a group takes in when a node is put into it: those of a group of its own kind, else the node itself.
export function flat(mode, node) {
  const inner = junction(node);
  return inner && inner.mode === mode ? inner.parts : [node];
}

// Takes an empty group out, and those around it that it leaves empty; never the outermost.
function prune(root, parts) {
  if (parts.length) return;
  const path = pathOf(root, parts);
  const around = path.slice(0, path.at(-2) === "not" ? -2 : -1);
  if (!around.length) return;
  if (around.at(-1) === "rule") {
    delete at(root, around.slice(0, -1)).rule;
    return;
  }
  const outer = home(around);
  const others = partsAt(root, outer.around);
  others.splice(outer.place, 1);
  prune(root, others);
}

// Takes a part out. Returns the path of what stands in its place, or before it, or around it.
export function remove(root, path) {
  const { around, place } = home(path);
  const parts = partsAt(root, around);
  parts.splice(place, 1);
  if (parts.length) return [...around, ...junction(at(root, around)).steps, Math.min(place, parts.length - 1)];
  prune(root, parts);
  let found = around;
  while (found.length && at(root, found) === undefined) found = found.slice(0, -1);
  return found;
}

// Puts a part before the place of a group. False if the group is within the part.
export function move(root, path, around, place) {
  if (under(around, path)) return false;
  const node = at(root, path);
  const target = partsAt(root, around);
  const { around: from, place: was } = home(path);
  const source = partsAt(root, from);
  source.splice(was, 1);
  target.splice(source === target && place > was ? place - 1 : place, 0, node);
  prune(root, source);
  return true;
}

// One place up or down, into and out of groups, as in an outline. False where there is no further way.
export function step(root, path, by) {
  const { around, place } = home(path);
  const parts = partsAt(root, around);
  const beside = parts[place + by];
  if (beside) {
    const inner = junction(beside);
    if (inner) return move(root, path, pathOf(root, beside), by > 0 ? 0 : inner.parts.length);
    return move(root, path, around, by > 0 ? place + 2 : place - 1);
  }
  if (!around.length || around.at(-1) === "rule") return false;
  const outer = home(around);
  return move(root, path, outer.around, outer.place + (by > 0 ? 1 : 0));
}

export function setMode(root, path, mode) {
  const parts = junction(at(root, path)).parts;
  return replaced(root, path, group(mode, parts));
}

// Puts a node in the place of another; returns the root, which is the node itself at the top.
export function replaced(root, path, node) {
  if (!path.length) return node;
  at(root, path.slice(0, -1))[path.at(-1)] = node;
  return root;
}

// Values

export const SPANS = new Set(["within_last", "within_next", "anniversary_last", "anniversary_next"]);
export const BARE = new Set(["known", "unknown"]);
export const SEVERAL = new Set(["is", "is_not"]);
const NUMBERS = new Set(["number", "count", "days", "share", "money"]);

export const isNumber = (term) => NUMBERS.has(term?.type);
export const isPicked = (term) => ["choice", "boolean", "user"].includes(term?.type) || Boolean(term?.refers);
const unset = (term, today) => (term?.type === "date" ? { date: today } : "");

// The values that go with another operator, as far as possible those that were there.
export function retuned(term, operator, values, today) {
  if (BARE.has(operator)) return [];
  if (SPANS.has(operator)) return [values[0]?.span ? values[0] : { span: 30, unit: "days" }];
  const kept = values.filter((value) => value?.span === undefined);
  if (operator === "between") return [kept[0] ?? unset(term, today), kept[1] ?? unset(term, today)];
  if (SEVERAL.has(operator)) return isPicked(term) || kept.length ? kept : [unset(term, today)];
  return [kept[0] ?? unset(term, today)];
}

export function comparison(name, term, operators, today) {
  const op = isNumber(term) ? "at_least" : term.type === "date" ? "within_last" : operators[0];
  return { [name]: term.key, op, values: retuned(term, op, [], today) };
}

// A decimal number with its point moved, digit by digit: floating point would add its own. Null for what is none.
export function shifted(number, places) {
  const found = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(String(number).trim());
  if (!found || !(found[2] + found[3])) return null;
  let digits = found[2] + found[3];
  let point = found[2].length + Number(found[4] ?? 0) + places;
  if (point < 0) {
    digits = "0".repeat(-point) + digits;
    point = 0;
  }
  digits = digits.padEnd(point, "0");
  const whole = digits.slice(0, point).replace(/^0+(?=\d)/, "") || "0";
  const rest = digits.slice(point).replace(/0+$/, "");
  return `${found[1] === "-" ? "-" : ""}${whole}${rest && `.${rest}`}`;
}

const PLACES = { share: () => 2, money: (digits) => digits };

// A number as it is typed, and back; what is no number stays as it was typed.
export function typed(term, value, digits) {
  if (typeof value !== "number") return String(value);
  return shifted(value, PLACES[term.type]?.(digits) * (term.type === "money" ? -1 : 1) || 0);
}

export function read(term, text, digits) {
  const places = PLACES[term.type]?.(digits) * (term.type === "money" ? 1 : -1) || 0;
  const number = shifted(text, places);
  const whole = ["money", "count"].includes(term.type);
  return number === null || (whole && number.includes(".")) ? text : Number(number);
}
