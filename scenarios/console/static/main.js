// @ts-check
// The page put together.

import { TryOnApi } from "./api.js";
import { byId, el, show } from "./dom.js";
import { harness } from "./harness.js";
import { Scenarios } from "./scenarios.js";
import { Services } from "./services.js";
import { Stage } from "./stage.js";
import { Timeline } from "./timeline.js";
import { TryOn } from "./tryon.js";

const HEALTH_MS = 5000;

/** @param {string} words */
const say = (words) => (byId("said").textContent = words);

/** @param {Blob} blob @returns {Promise<string>} */
const dataUrl = (blob) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });

const config = await harness("/config");
const api = new TryOnApi(config.gateway);
let next = await harness("/next");

const stage = new Stage(byId("stage"), ready, say);
const timeline = new Timeline();
const tryOn = new TryOn(api, config, (story) => timeline.draw(story));
const services = new Services(config.switches, config.presets, () => ({ current: tryOn.workflowId, next: next.workflowId }), ready);

function ready() {
  const foreground = stage.points.some((point) => point.label === 1);
  byId("start").disabled = tryOn.running || !stage.picture || !foreground;
  byId("undo").disabled = byId("clear").disabled = !stage.order.length;
  const count = (/** @type {number} */ number, /** @type {string} */ name) => `${number} ${name}${number === 1 ? "" : "s"}`;
  const hint = foreground ? "" : ". Click where the jewellery goes";
  byId("marks").textContent = `${count(stage.points.length, "point")}, ${count(stage.strokes.length, "stroke")}${hint}`;
  const armed = services.armedFor(next.workflowId);
  byId("armed").hidden = !armed.length;
  show(byId("armed"), el("span", {}, `⚡ The next try-on meets: ${armed.join("; ")}. `), el("a", { href: "#fakes" }, "Change"));
}

/** @param {string} name */
async function takeSample(name) {
  const blob = await (await fetch(`/harness/samples/${name}.jpg`)).blob();
  await stage.take(await dataUrl(blob), config.samples[name]);
  pressed(name);
}

/** @param {Blob | undefined} file */
async function takeFile(file) {
  if (!file) return;
  try {
    await stage.take(await dataUrl(file));
    say("The photo is here. Click where the jewellery goes.");
  } catch {
    say("This file is not a picture that the browser can show");
    byId("marks").textContent = "This file is not a picture that the browser can show.";
  }
  pressed("");
}

/** @param {string} name */
function pressed(name) {
  for (const button of document.querySelectorAll("[data-sample]"))
    button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.sample === name));
}

async function start() {
  const { key } = next;
  const running = tryOn.start(
    { originalImageBase64: stage.picture, maskPoints: stage.points, brushStrokes: stage.strokes, sessionId: "console" },
    key,
  );
  next = await harness("/next");
  ready();
  await running;
  ready();
}

async function health() {
  const shown = byId("health");
  try {
    const answer = await api.health();
    const down = Object.entries(answer.services).filter(([, state]) => state !== "online").map((one) => one.join(" "));
    if (answer.temporal !== "connected") down.push("Temporal offline");
    shown.textContent = down.length ? down.join(", ") : "everything is online";
    shown.className = `health ${down.length ? "bad" : "good"}`;
  } catch {
    shown.textContent = "the gateway does not answer";
    shown.className = "health bad";
  }
}

for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-sample]")))
  button.addEventListener("click", () => takeSample(String(button.dataset.sample)));
byId("file").addEventListener("change", () => takeFile(byId("file").files[0]));
for (const kind of ["dragover", "dragleave", "drop"])
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    byId("stage").classList.toggle("over", kind === "dragover");
    if (kind === "drop") takeFile(/** @type {DragEvent} */ (event).dataTransfer?.files[0]);
  });
for (const radio of document.querySelectorAll("[name=tool]"))
  radio.addEventListener("change", () => {
    stage.tool = /** @type {any} */ (radio).value;
    byId("brush-row").hidden = !["add", "remove"].includes(stage.tool);
  });
byId("brush").addEventListener("input", () => {
  stage.brush = Number(byId("brush").value);
  byId("brush-size").textContent = `${stage.brush} px`;
});
byId("undo").addEventListener("click", () => stage.undo());
byId("clear").addEventListener("click", () => stage.clear());
byId("start").addEventListener("click", start);
byId("cancel").addEventListener("click", () => tryOn.cancel());

await takeSample("far");
health();
setInterval(() => document.visibilityState === "visible" && health(), HEALTH_MS);
document.documentElement.dataset.ready = "yes";
const asked = new URLSearchParams(location.search).get("workflow");
if (asked) tryOn.watch(asked).then(ready);
new Scenarios((workflowId) => {
  byId("try").scrollIntoView();
  tryOn.watch(workflowId).then(ready);
});
