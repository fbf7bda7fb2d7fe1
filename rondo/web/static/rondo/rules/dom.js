// Elements of the builder: made, never parsed, so that no value becomes markup.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const icon = (name) => document.querySelector(`template[data-icon="${name}"]`).content.cloneNode(true);

export const fill = (words, places) => words.replace(/\{(\w+)\}/g, (_whole, name) => places[name] ?? "");

// Texts are compared as the server does it: without case and diacritics.
export const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

// A select; a value that is not among the options is shown as it is, marked by “gone”.
export function choose(options, value, attributes, gone) {
  const known = options.some(([key]) => key === value);
  const shown = known ? options : [[value, value ? gone(value) : gone("")], ...options];
  const select = h("select", attributes, shown.map(([key, label]) => h("option", { value: key }, label)));
  select.value = value;
  return select;
}
