// The shell: opens and closes dialogs, folds the navigation, copies commands, changes the theme at once.
const root = document.documentElement;

// Of a row of tabs that is wider than the page, the one that is open is in sight.
for (const tab of document.querySelectorAll(".tabs > [aria-current]")) {
  const row = tab.parentElement;
  row.scrollLeft = tab.offsetLeft + tab.offsetWidth / 2 - row.offsetLeft - row.offsetWidth / 2;
}

// Copies the command beside the button; where the browser refuses (no https), selects it for Ctrl-C.
async function copy(button) {
  const command = button.parentElement.querySelector("pre");
  try {
    await navigator.clipboard.writeText(command.textContent);
  } catch {
    getSelection().selectAllChildren(command);
    return;
  }
  button.dataset.label ??= button.textContent;
  button.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = button.dataset.label; }, 2000);
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    document.getElementById(opener.dataset.opens)?.showModal();
    return;
  }
  const dialog = event.target.closest("dialog");
  if (dialog && (event.target.closest("[data-closes]") || event.target === dialog)) {
    dialog.close();
    return;
  }
  if (event.target.closest("[data-theme-toggle]")) {
    const dark = getComputedStyle(root).colorScheme === "dark" || (root.dataset.theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
    document.querySelector(`[data-theme-choice="${dark ? "light" : "dark"}"]`)?.click();
    return;
  }
  const copier = event.target.closest("[data-copies]");
  if (copier) {
    copy(copier);
    return;
  }
  const fold = event.target.closest("[data-folds-nav]");
  if (fold) {
    const narrow = root.dataset.nav !== "narrow";
    root.dataset.nav = narrow ? "narrow" : "wide";
    fold.setAttribute("aria-expanded", String(!narrow));
    document.cookie = `rondo_nav=${root.dataset.nav}; path=/; max-age=31536000; samesite=lax`;
  }
});

// Of a double click one click is sent, and one of an Enter that is held down: what follows would do it all once more.
let pressed = null;
const SENDING = "form[method=post] button:not([type=button]), form[hx-post] button:not([type=button]), button[hx-post]";
addEventListener("click", (event) => {
  const button = event.target.closest?.(SENDING) ?? null;
  if (button && button === pressed && event.detail > 1) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
  pressed = button;
}, true);
addEventListener("keydown", (event) => {
  const field = event.repeat && event.key === "Enter" && event.target.closest?.("form input, form select, form button");
  if (!field?.form || (field.form.method === "get" && !field.form.matches("[hx-post]"))) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

// The theme is kept with the user; without leaving the page.
document.addEventListener("submit", async (event) => {
  const choice = event.submitter?.dataset.themeChoice;
  if (!choice) return;
  event.preventDefault();
  const form = event.target;
  const before = root.dataset.theme;
  const show = (theme) => {
    root.dataset.theme = theme;
    for (const button of form.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
    }
  };
  show(choice);
  const body = new FormData(form);
  body.set("theme", choice);
  const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
  if (!answer || (answer.type !== "opaqueredirect" && !answer.ok)) show(before);
});
