// The command palette: asks the server while one types, moves through the results with the arrow keys.
const dialog = document.getElementById("palette");

if (dialog) {
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  let asked = null;
  let timer = 0;
  let shown = null; // what the results on view answer
  let hasty = false; // Enter came before the answer

  const hits = () => [...list.querySelectorAll("a[role=option]")];
  const chosen = () => list.querySelector('[aria-selected="true"]');

  function choose(hit) {
    for (const other of hits()) other.setAttribute("aria-selected", "false");
    if (hit) {
      hit.setAttribute("aria-selected", "true");
      hit.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", hit.id);
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  async function ask() {
    asked?.abort();
    asked = new AbortController();
    const url = new URL(dialog.dataset.url, location.href);
    const text = input.value;
    url.searchParams.set("q", text);
    url.searchParams.set("at", location.pathname + location.search);
    try {
      const answer = await fetch(url, { signal: asked.signal, headers: { "X-Requested-With": "fetch" } });
      if (answer.status === 401) { // the page keeps what was typed on it
        dialog.close();
        document.body.dispatchEvent(new CustomEvent("toast", { detail: JSON.parse(answer.headers.get("HX-Trigger")).toast }));
      }
      else if (answer.redirected) location.assign(answer.url);
      else if (answer.ok) {
        list.innerHTML = await answer.text();
        choose(hits()[0]);
        shown = text;
        if (hasty && chosen()) location.assign(chosen().href);
        hasty = false;
      }
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }

  input.addEventListener("input", () => {
    hasty = false;
    clearTimeout(timer);
    timer = setTimeout(ask, 60);
  });

  dialog.addEventListener("keydown", (event) => {
    const all = hits();
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(all[(at + step + all.length) % all.length]);
    } else if (event.key === "Enter" && event.target === input && shown !== input.value) {
      event.preventDefault();
      hasty = true;
    } else if (event.key === "Enter" && event.target === input && at >= 0) {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) window.open(all[at].href, "_blank", "noopener");
      else location.assign(all[at].href);
    }
  });

  list.addEventListener("mousemove", (event) => {
    const hit = event.target.closest("a[role=option]");
    if (hit && hit !== chosen()) choose(hit);
  });

  new MutationObserver(() => {
    if (!dialog.open) return;
    input.value = "";
    shown = null;
    hasty = false;
    input.focus();
    ask();
  }).observe(dialog, { attributes: true, attributeFilter: ["open"] });
}
