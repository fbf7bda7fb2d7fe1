// Toasts: what was just done, with its undo. They leave by themselves unless one is over them.
const region = document.getElementById("toasts");

function watch(toast) {
  let timer = 0;
  const wait = () => { timer = setTimeout(() => toast.remove(), toast.querySelector("form") ? 12000 : 6000); };
  toast.addEventListener("mouseenter", () => clearTimeout(timer));
  toast.addEventListener("mouseleave", wait);
  toast.addEventListener("focusin", () => clearTimeout(timer));
  toast.addEventListener("focusout", wait);
  toast.querySelector("[data-dismiss]").addEventListener("click", () => toast.remove());
  wait();
}

function add({ text, undo, level }) {
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
    document.body.addEventListener(failure, () => add({ text: region.dataset.failed, level: "error" }));
  }
}
