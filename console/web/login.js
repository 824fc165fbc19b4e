// The login page.
import { byId, show } from "./dom.js";
import { loadWords, say, otherLanguage, chooseLanguage } from "./words.js";

const form = document.querySelector("form");
const refused = byId("refused");
const button = form.querySelector("button");

async function logIn(event) {
  event.preventDefault();
  button.disabled = true;
  refused.textContent = "";
  try {
    const body = JSON.stringify({ login: form.elements.login.value.trim(), password: form.elements.password.value });
    const response = await fetch("login", { method: "POST", headers: { "content-type": "application/json" }, body });
    const { result, wait_s } = await response.json().catch(() => ({ result: "away" }));
    if (result === "ok") {
      location.replace("./");
      return;
    }
    refused.textContent = say(`login_${result}`, { n: wait_s ?? 0 });
  } catch {
    refused.textContent = say("login_away");
  }
  button.disabled = false;
  form.elements.password.select();
}

await loadWords();
const language = byId("language");
language.textContent = say("other_language");
language.lang = otherLanguage();
language.addEventListener("click", () => {
  chooseLanguage(otherLanguage());
  location.reload();
});
const why = new URLSearchParams(location.search).keys().next().value;
show(byId("why"), why === "ended" || why === "role");
byId("why").textContent = why === "role" ? say("login_role") : say("login_ended");
if (why === "refused") refused.textContent = say("login_wrong");
form.addEventListener("submit", logIn);
