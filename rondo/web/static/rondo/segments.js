// The builder of segments: a click on an offer writes it where the cursor stands.
const rule = document.getElementById("rule");

function insert(text) {
  const at = rule.selectionStart ?? rule.value.length;
  const before = rule.value.slice(0, at).trimEnd();
  const after = rule.value.slice(rule.selectionEnd ?? at).trimStart();
  const joins = before && !/(\band|\bor|\bnot|\()$/i.test(before) ? " and " : before ? " " : "";
  const head = before + joins + text;
  rule.value = after ? `${head} ${after}` : head;
  rule.focus();
  rule.setSelectionRange(head.length, head.length);
  rule.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const offer = event.target.closest("[data-insert]");
  if (offer && rule) insert(offer.dataset.insert);
});
