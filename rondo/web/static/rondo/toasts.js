// Toasts: what was just done, with its undo. They leave by themselves unless one is over them.
const region = document.getElementById("toasts");

function watch(toast) {
  let timer = 0;
  const wait = () => { timer = setTimeout(() => toast.remove(), toast.querySelector("form, a") ? 12000 : 6000); };
  toast.addEventListener("mouseenter", () => clearTimeout(timer));
  toast.addEventListener("mouseleave", wait);
  toast.addEventListener("focusin", () => clearTimeout(timer));
  toast.addEventListener("focusout", wait);
  toast.querySelector("[data-dismiss]").addEventListener("click", () => toast.remove());
  wait();
}

function add({ text, undo, level, link }) {
  if (level === "error" && [...region.querySelectorAll("p")].some((words) => words.textContent === text)) return;
  const toast = document.createElement("div");
  toast.className = level === "error" || level === "warning" ? "toast risk" : "toast";
  const words = document.createElement("p");
  words.textContent = text;
  toast.append(words);
  if (undo) {
    const form = document.createElement("form");
    form.method = "post";
    form.action = undo;
    const token = document.createElement("input");
    token.type = "hidden";
    token.name = "csrfmiddlewaretoken";
    token.value = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
    const button = document.createElement("button");
    button.className = "undo";
    button.textContent = region.dataset.undo;
    form.append(token, button);
    toast.append(form);
  }
  if (link) {
    const anchor = document.createElement("a");
    anchor.className = "undo";
    anchor.href = link.href;
    anchor.target = "_blank"; // this page keeps what was typed
    anchor.textContent = link.text;
    toast.append(anchor);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.dataset.dismiss = "";
  close.textContent = "×";
  close.setAttribute("aria-label", region.dataset.close);
  toast.append(close);
  region.append(toast);
  watch(toast);
}

if (region) {
  region.querySelectorAll("[data-toast]").forEach(watch);
  document.body.addEventListener("toast", (event) => add(event.detail));
  for (const failure of ["htmx:responseError", "htmx:sendError"]) {
    document.body.addEventListener(failure, (event) => {
      const said = event.detail.xhr?.getResponseHeader("HX-Trigger")?.includes('"toast"');
      if (!said) add({ text: region.dataset.failed, level: "error" });
    });
  }
  // Who signed in anew in another tab has another token; this page sends with it from now on.
  document.body.addEventListener("token", ({ detail }) => {
    document.body.setAttribute("hx-headers", JSON.stringify({ ...JSON.parse(document.body.getAttribute("hx-headers")), "X-CSRFToken": detail.value }));
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = detail.value;
  });
}
