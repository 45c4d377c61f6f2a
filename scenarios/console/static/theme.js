// @ts-check
// Light or dark: as the system says, until the button is pressed.

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");
const button = /** @type {HTMLButtonElement} */ (document.getElementById("theme"));

/** @param {string | null} chosen */
function use(chosen) {
  if (chosen) root.dataset.theme = chosen;
  else delete root.dataset.theme;
  button.textContent = (chosen ?? (system.matches ? "dark" : "light")) === "dark" ? "Light" : "Dark";
}

use(localStorage.getItem("theme"));
system.addEventListener("change", () => use(localStorage.getItem("theme")));
button.addEventListener("click", () => {
  const chosen = button.textContent === "Dark" ? "dark" : "light";
  localStorage.setItem("theme", chosen);
  use(chosen);
});
