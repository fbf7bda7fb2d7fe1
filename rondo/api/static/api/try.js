// Tries a call of the API from its reference: sends what the form says with the token, shows status, headers and body.

function address(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  const missing = [];
  for (const field of form.querySelectorAll("[name]")) {
    const value = field.value.trim();
    if (field.dataset.place === "path") {
      if (!value) missing.push(field);
      path = path.replace(`{${field.name}}`, encodeURIComponent(value));
    } else if (value) {
      for (const one of "many" in field.dataset ? value.split(",") : [value]) query.append(field.name, one.trim());
    }
  }
  return { url: query.size ? `${path}?${query}` : path, missing };
}

function shown(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function send(form) {
  const place = form.closest(".try");
  const status = place.querySelector(".try-status");
  const answer = place.querySelector(".try-answer");
  const { url, missing } = address(form);
  for (const field of form.querySelectorAll("[name]")) field.removeAttribute("aria-invalid");
  answer.hidden = true;
  if (missing.length) {
    for (const field of missing) field.setAttribute("aria-invalid", "true");
    status.textContent = `${status.dataset.missing} ${missing.map((field) => field.name).join(", ")}`;
    missing[0].focus();
    return;
  }
  status.textContent = status.dataset.waiting;
  const token = document.getElementById("bearer").value.trim();
  const began = performance.now();
  let response;
  let body;
  try {
    response = await fetch(url, { headers: token ? { Authorization: `Bearer ${token}` } : {}, credentials: "omit" });
    body = await response.text();
  } catch {
    status.textContent = status.dataset.lost;
    return;
  }
  status.textContent = `${response.status} ${response.statusText} · ${Math.round(performance.now() - began)} ms`;
  place.querySelector(".try-address").textContent = `GET ${url}`;
  place.querySelector(".try-headers").textContent = [...response.headers].map((pair) => pair.join(": ")).join("\n");
  place.querySelector(".try-body").textContent = shown(body);
  answer.hidden = false;
}

for (const hidden of document.querySelectorAll("#token, .try")) hidden.hidden = false;
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-path]")) {
    event.preventDefault();
    send(event.target);
  } else if (event.target.closest("#token")) {
    event.preventDefault();
  }
});
