// Says in words what allauth's scripts for passkeys report, beside the button; and where passkeys cannot work.
const words = document.querySelector("script[src*='passkeys']").dataset;
const place = document.getElementById("passkey-trouble");

function say(text) {
  if (!place) return;
  place.textContent = text;
  place.hidden = false;
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const name = event.detail.exception?.name;
  say(name === "InvalidStateError" ? words.known : name === "SecurityError" ? words.nowhere : words.refused);
});

if (!window.PublicKeyCredential) {
  for (const button of document.querySelectorAll("#passkey_login, #mfa_webauthn_add, #mfa_webauthn_authenticate, #mfa_webauthn_reauthenticate")) {
    button.disabled = true;
    if (button.id !== "passkey_login") say(words.nowhere);
  }
}
