// Proposes the browser's own time zone where the company has said none yet.
const zones = document.querySelector("select[data-zone-here]");
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zones && [...zones.options].some((one) => one.value === here)) {
  zones.value = here;
}
