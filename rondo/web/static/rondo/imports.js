// Bringing a file in: dropped anywhere on the field, sent at once, with a bar that shows how much of it is there.
const form = document.querySelector("[data-upload]");

if (form) {
  const input = form.querySelector('input[type="file"]');
  const bar = form.querySelector("progress");
  const button = form.querySelector("button");

  form.classList.add("sends-itself"); // the browser's own control speaks the browser's language
  const send = () => {
    if (!input.files.length) return;
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
    });
    request.addEventListener("load", () => {
      // the page the answer leads to; an error page is shown where it is
      if (request.responseURL && request.status < 400) location.assign(request.responseURL);
      else {
        document.open();
        document.write(request.responseText);
        document.close();
      }
    });
    request.addEventListener("error", () => {
      bar.hidden = true;
      button.disabled = false;
    });
    bar.hidden = false;
    button.disabled = true;
    request.send(new FormData(form));
  };

  for (const name of ["dragenter", "dragover"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.add("is-over");
    });
  }
  for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => form.classList.remove("is-over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    send();
  });
  input.addEventListener("change", send);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
}
