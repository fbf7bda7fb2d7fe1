// The list of all that a condition can be about: searched by typing, walked by arrow keys, chosen by Enter or a tap.
import { fill, fold, h, icon } from "./dom.js";

const FEW = 8; // so many of a group are shown before anything is typed
const MOST = 40; // and so many afterwards

export class Picker {
  constructor(rule, offers) {
    this.rule = rule;
    this.offers = offers.map((offer) => ({ ...offer, folded: fold(`${offer.label} ${offer.key}`), more: fold(offer.hint ?? "") }));
    const { words } = rule;
    this.input = h("input", { type: "text", role: "combobox", id: "rule-picker-input", "aria-expanded": "true", "aria-autocomplete": "list", "aria-controls": "rule-picker-list", "aria-label": words.pick, placeholder: words.pickHint, autocomplete: "off", spellcheck: "false", maxlength: 100, oninput: () => this.show(), onkeydown: (event) => this.key(event) });
    this.list = h("div", { id: "rule-picker-list", class: "palette-results", role: "listbox", "aria-label": words.pick, onclick: (event) => this.take(event.target.closest("[role=option]")) });
    this.form = "";
    const chip = ([key, label, meaning]) => h("button", { type: "button", class: "chip outline", "aria-pressed": "false", title: meaning, "data-form": key, onclick: () => this.narrow(key) }, label);
    this.forms = h("div", { class: "rule-forms", role: "group", "aria-label": words.forms }, [["", words.formAny, ""], ...rule.schema.forms].map(chip));
    this.meaning = h("p", { class: "rule-meaning", role: "status" });
    const close = h("button", { type: "button", class: "button ghost small", "aria-label": words.close, onclick: () => this.dialog.close() }, icon("x"));
    this.dialog = h("dialog", { class: "palette", "aria-label": words.pick, onclose: () => this.done(), onclick: (event) => event.target === this.dialog && this.dialog.close() },
      h("div", { class: "palette-field" }, icon("search"), this.input, close), this.forms, this.meaning, this.list);
  }

  // Opens the list; `chosen` gets the offer, and the focus goes back to `opener` when nothing is chosen.
  open(opener, chosen) {
    this.opener = opener;
    this.chosen = chosen;
    this.input.value = "";
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.narrow("");
  }

  // Shows what serves one form of segmentation, and what that form asks.
  narrow(form) {
    this.form = form;
    for (const button of this.forms.children) button.setAttribute("aria-pressed", String(button.dataset.form === form));
    this.meaning.textContent = this.rule.schema.forms.find(([key]) => key === form)?.[2] ?? "";
    this.show();
    this.input.focus();
  }

  done() {
    const at = this.opener?.dataset.at;
    if (this.chosen && at) this.rule.focus(at);
    this.chosen = null;
    this.dialog.remove();
  }

  take(option) {
    if (!option) return;
    const { chosen } = this;
    this.chosen = null;
    this.dialog.close();
    chosen(this.offers[Number(option.dataset.offer)].make());
  }

  found() {
    const words = fold(this.input.value).split(/\s+/).filter(Boolean);
    const sought = words.join(" ");
    const rank = (offer) => {
      if (fold(offer.label) === sought) return 0;
      if (words.every((word) => offer.folded.includes(word))) return offer.folded.startsWith(words[0]) ? 1 : 2;
      return words.every((word) => `${offer.folded} ${offer.more}`.includes(word)) ? 3 : 4;
    };
    return this.offers.map((offer, n) => ({ offer, n })).filter(({ offer }) => !this.form || offer.form === this.form).map(({ offer, n }) => ({ offer, n, rank: words.length ? rank(offer) : 0 })).filter((one) => one.rank < 4).sort((one, other) => one.rank - other.rank);
  }

  show() {
    const { words, schema } = this.rule;
    const found = this.found();
    const limit = this.input.value.trim() ? MOST : FEW;
    const groups = schema.groups.flatMap(([key, label]) => {
      const here = found.filter((one) => one.offer.group === key);
      if (!here.length) return [];
      const options = here.slice(0, limit).map(({ offer, n }) => h("div", { class: "palette-hit", role: "option", id: `rule-offer-${n}`, "data-offer": n, "aria-selected": "false", title: offer.hint }, h("span", { class: "truncate grow" }, offer.label)));
      const more = here.length > limit && h("p", { class: "palette-group" }, fill(words.many, { n: (here.length - limit).toLocaleString(document.documentElement.lang) }));
      return [{ best: here[0].rank, element: h("div", { role: "group", "aria-label": label }, h("p", { class: "palette-group", "aria-hidden": "true" }, label), options, more) }];
    });
    groups.sort((one, other) => one.best - other.best);
    this.list.replaceChildren(...groups.map((one) => one.element), ...(groups.length ? [] : [h("p", { class: "palette-none" }, this.form && !this.input.value.trim() ? words.formNone : words.nothing)]));
    this.mark(this.options()[0]);
  }

  options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  mark(option) {
    for (const one of this.options()) one.setAttribute("aria-selected", String(one === option));
    this.input.setAttribute("aria-activedescendant", option?.id ?? "");
    option?.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const options = this.options();
    const now = options.findIndex((one) => one.getAttribute("aria-selected") === "true");
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, PageDown: now + 8, PageUp: now - 8 }[event.key];
    if (event.key === "Enter") {
      event.preventDefault();
      this.take(options[now]);
    } else if (to !== undefined && options.length) {
      event.preventDefault();
      this.mark(options[Math.min(Math.max(to, 0), options.length - 1)]);
    }
  }
}
