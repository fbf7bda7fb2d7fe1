// Editors of values, by the type of the field: each writes one value of the tree and says where it stands (data-at).
import { choose, fill, fold, h, icon } from "./dom.js";
import { BARE, SEVERAL, SPANS, at, isNumber, isPicked, read, typed } from "./model.js";

const MANY = 10; // so many choices are looked through without a search

// The editors of all values of a comparison or a period; of a detail, with the event that it is of.
export function values(rule, term, path, operator, name, event = null) {
  if (BARE.has(operator)) return [];
  if (isPicked(term) && SEVERAL.has(operator)) return [picked(rule, term, path, name, event)];
  const list = at(rule.root, path);
  const several = SEVERAL.has(operator) && term;
  const joint = operator === "between" ? rule.words.and : rule.words.or;
  const editors = list.flatMap((value, n) => {
    const place = [...path, n];
    const label = `${name}: ${rule.words.value}${list.length > 1 ? ` ${n + 1}` : ""}`;
    const editor = h("span", { class: "rule-value" }, one(rule, term, place, operator, label));
    if (several && list.length > 1) editor.append(drop(rule, place, label));
    return n ? [h("span", { class: "rule-joint" }, joint), editor] : [editor];
  });
  if (several) editors.push(another(rule, term, path, list, name));
  return editors;
}

function drop(rule, place, label) {
  const { words } = rule;
  const name = fill(words.removePart, { part: label });
  const take = () => at(rule.root, place.slice(0, -1)).splice(place.at(-1), 1);
  const focus = [...place.slice(0, -1), Math.max(place.at(-1) - 1, 0)];
  return h("button", { type: "button", class: "button ghost square small", "aria-label": name, title: name, "data-at": `${place.join("/")}#drop`, onclick: () => rule.change(take, focus) }, icon("x"));
}

function another(rule, term, path, list, name) {
  const add = () => list.push(term.type === "date" ? { date: rule.schema.today } : "");
  const label = `${rule.words.addValue}: ${name}`;
  return h("button", { type: "button", class: "button ghost square small", "aria-label": label, title: rule.words.addValue, "data-at": `${path.join("/")}#more`, onclick: () => rule.change(add, [...path, list.length]) }, icon("plus"));
}

function one(rule, term, place, operator, label) {
  if (SPANS.has(operator)) return span(rule, place, label);
  if (term?.type === "date") return day(rule, place, label);
  if (isNumber(term)) return number(rule, term, place, label);
  return text(rule, term, place, label);
}

let lists = 0;

// A text; where the catalogue has names that hold what was typed, they are offered below.
function text(rule, term, place, label) {
  const input = h("input", { type: "text", value: String(at(rule.root, place)), maxlength: 255, "aria-label": label, "data-at": place.join("/"), autocomplete: "off", spellcheck: "false", oninput: (event) => rule.type(place, event.target.value) });
  if (!term?.suggests) return input;
  lists += 1;
  const list = h("datalist", { id: `rule-offered-${lists}` });
  input.setAttribute("list", list.id);
  input.addEventListener("input", async () => {
    const found = await rule.suggested(term, input.value);
    if (found) list.replaceChildren(...found.map((value) => h("option", { value })));
  });
  return [input, list];
}

// Numbers as people here write them: 1.204,50 in German and 1,204.50 in English are 1204.50.
const german = () => document.documentElement.lang.startsWith("de");

function plain(text) {
  const bare = text.replace(/\s/g, "");
  const [group, point] = german() ? [".", ","] : [",", "."];
  const grouped = new RegExp(`^[+-]?\\d{1,3}(\\${group}\\d{3})+(\\${point}\\d+)?$`).test(bare);
  return (grouped ? bare.replaceAll(group, "") : bare).replace(",", ".");
}

function number(rule, term, place, label) {
  const { digits, currency } = rule.schema;
  const value = at(rule.root, place);
  const known = typed(term, value, digits);
  // What was written and is no number stays to be seen and mended.
  const written = typeof value === "number" && german() ? known.replace(".", ",") : known;
  const heard = (text) => {
    const found = read(term, plain(text), digits);
    return typeof found === "number" ? found : text;
  };
  const input = h("input", { type: "text", inputmode: "decimal", autocomplete: "off", value: written, "aria-label": label, "data-at": place.join("/"), oninput: (event) => rule.type(place, heard(event.target.value)) });
  const unit = { money: currency, share: "%", days: Object.fromEntries(rule.schema.units).days }[term.type];
  return unit ? h("span", { class: "rule-number" }, input, h("span", { class: "rule-unit" }, unit)) : h("span", { class: "rule-number" }, input);
}

// A whole number that is always there: what is none is put back when the field is left.
export function whole(rule, place, label, least = 1, most = 1_000_000, after = null) {
  const now = at(rule.root, place);
  return h("input", {
    type: "number", step: "1", min: least, max: most, inputmode: "numeric", class: "rule-count", value: String(now), "aria-label": label, "data-at": place.join("/"),
    oninput: (event) => {
      const found = Number(event.target.value);
      if (event.target.value && Number.isInteger(found) && found >= least && found <= most) rule.type(place, after ? after(found) : found);
    },
    onblur: (event) => {
      const kept = at(rule.root, place);
      if (kept !== undefined) event.target.value = String(Math.abs(kept));
    },
  });
}

function unit(rule, place, label) {
  const change = (event) => rule.change(() => { at(rule.root, place.slice(0, -1)).unit = event.target.value; }, place);
  return choose(rule.schema.units, at(rule.root, place), { "aria-label": `${label}, ${rule.words.unit}`, "data-at": place.join("/"), onchange: change }, String);
}

// A length of time; without a limit of units all are offered.
export function span(rule, place, label, units = null) {
  const offered = units ? rule.schema.units.filter(([key]) => units.includes(key)) : rule.schema.units;
  const change = (event) => rule.change(() => { at(rule.root, place).unit = event.target.value; }, [...place, "unit"]);
  const select = choose(offered, at(rule.root, place).unit, { "aria-label": `${label}, ${rule.words.unit}`, "data-at": [...place, "unit"].join("/"), onchange: change }, String);
  return h("span", { class: "rule-span" }, whole(rule, [...place, "span"], `${label}, ${rule.words.length}`, 1, 36_525), select);
}

// A day: of the calendar, or counted from the day the rule is asked for.
function day(rule, place, label) {
  const { words, schema } = rule;
  const value = at(rule.root, place);
  const form = value?.ago === undefined ? "date" : value.ago === 0 ? "today" : value.ago > 0 ? "ago" : "ahead";
  const forms = { date: { date: schema.today }, today: { ago: 0, unit: "days" }, ago: { ago: 30, unit: "days" }, ahead: { ago: -30, unit: "days" } };
  const put = (event) => rule.change(() => { at(rule.root, place.slice(0, -1))[place.at(-1)] = forms[event.target.value]; }, place);
  const options = [["date", words.date], ["today", words.today], ["ago", words.ago], ["ahead", words.fromToday]];
  const select = choose(options, form, { "aria-label": `${label}, ${words.when}`, "data-at": place.join("/"), onchange: put }, String);
  if (form === "today") return select;
  if (form === "date") {
    const input = h("input", { type: "date", value: typeof value === "string" ? "" : value.date, "aria-label": label, "data-at": [...place, "date"].join("/"), oninput: (event) => event.target.value && rule.type(place, { date: event.target.value }) });
    return h("span", { class: "rule-span" }, select, input);
  }
  const sign = form === "ahead" ? -1 : 1;
  const count = whole(rule, [...place, "ago"], `${label}, ${words.length}`, 1, 36_600, (n) => n * sign);
  count.value = String(Math.abs(value.ago));
  return h("span", { class: "rule-span" }, count, unit(rule, [...place, "unit"], label), select);
}

// One or several of a list: a box that opens to a list of checks, with a search where the list is long.
function picked(rule, term, path, name, event) {
  const { words } = rule;
  const truth = term.type === "boolean";
  const options = (truth ? [[true, words.yes], [false, words.no]] : rule.choicesOf(term, event)).slice();
  if (term.type === "user") options.unshift(["me", words.me]);
  const known = new Set(options.map(([value]) => value));
  const names = new Map(term.choices);
  for (const value of at(rule.root, path)) if (!known.has(value)) options.push([value, names.get(value) ?? fill(words.gone, { key: value })]);
  let touched = false;
  const said = () => {
    const chosen = at(rule.root, path);
    return options.filter(([value]) => chosen.includes(value)).map(([, label]) => label).join(`, `) || words.choose;
  };
  const shown = h("span", { class: "truncate" }, said());
  const boxes = options.map(([value, label]) => h("label", { class: "check", "data-words": fold(label) }, h("input", {
    type: "checkbox", checked: at(rule.root, path).includes(value),
    onchange: (changed) => {
      const chosen = at(rule.root, path).filter((one) => one !== value);
      rule.type(path, changed.target.checked ? options.map(([one]) => one).filter((one) => one === value || chosen.includes(one)) : chosen, true);
      shown.textContent = said();
      touched = true;
      if (event) rule.fit(event);
    },
  }), h("span", {}, label)));
  const search = options.length > MANY && h("input", { type: "search", placeholder: words.filter, "aria-label": `${name}: ${words.filter}`, oninput: (changed) => {
    const sought = fold(changed.target.value);
    for (const box of boxes) box.hidden = !box.dataset.words.includes(sought);
  } });
  // What was chosen may leave fewer choices to the other details of the event; they are drawn anew once this is done.
  const closed = () => { if (!box.open && touched && event && box.isConnected) rule.render(); };
  const box = h("details", { class: "rule-picked", ontoggle: closed, onfocusout: (left) => { if (left.relatedTarget && !box.contains(left.relatedTarget)) box.open = false; }, onkeydown: (pressed) => {
    if (pressed.key !== "Escape" || !box.open) return;
    pressed.stopPropagation();
    box.open = false;
    box.firstElementChild.focus();
  } }, h("summary", { "data-at": path.join("/"), "aria-label": `${name}: ${words.value}` }, shown, icon("chevron-down")), h("div", { class: "rule-options" }, search, boxes));
  shown.parentElement.removeAttribute("aria-label");
  shown.before(h("span", { class: "visually-hidden" }, `${name}: `));
  return box;
}
