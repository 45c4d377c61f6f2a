// @ts-check
// One try-on on the page: start, follow, cancel, and what came of it.

import { ApiError } from "./api.js";
import { byId, el, seconds, show, svg, words } from "./dom.js";
import { harness } from "./harness.js";

const LOOK_MS = 700;
const START_TRIES = 20;

/** @typedef {import("../../../docs/client/tryon.ts").Change} Change */
/** @typedef {{steps: {name: string, progress: number}[], codes: Record<string, {meaning: string, advice: string}>}} Config */

export class TryOn {
  /** @type {string | null} */ workflowId = null;
  running = false;
  #began = 0;
  #step = "";
  #last = /** @type {Change | null} */ (null);
  #story = /** @type {any} */ (null);
  /** Of the try-on that is shown: aborted when another one takes its place. */
  #shown = new AbortController();

  /** @param {import("../../../docs/client/tryon.ts").TryOnApi} api @param {Config} config @param {(story: any) => void} onStory */
  constructor(api, config, onStory) {
    this.api = api;
    this.config = config;
    this.onStory = onStory;
    this.#draw();
  }

  /** @param {import("../../../docs/client/tryon.ts").StartRequest} request @param {string} idempotencyKey */
  async start(request, idempotencyKey) {
    const shown = this.#begin();
    try {
      const started = await this.api.start(request, { idempotencyKey });
      if (shown.aborted) return;
      this.workflowId = started.workflowId;
    } catch (error) {
      if (shown.aborted) return;
      this.running = false;
      this.#refused(/** @type {ApiError} */ (error));
      return;
    }
    await this.#follow(shown);
  }

  /** Show a try-on that runs or ran already. @param {string} workflowId */
  async watch(workflowId) {
    const shown = this.#begin();
    this.workflowId = workflowId;
    for (let tries = 0; tries < START_TRIES && !shown.aborted && !(await this.api.status(workflowId).catch(() => null)); tries += 1)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS)); // somebody else is about to start it
    if (!shown.aborted) await this.#follow(shown);
  }

  async cancel() {
    if (!this.workflowId) return;
    byId("cancel").disabled = true;
    byId("stands").textContent = "Cancelling …";
    const { signal } = this.#shown;
    await this.api.cancel(this.workflowId).catch((error) => signal.aborted || this.#refused(error));
  }

  /** Show another try-on in place of the one that is shown, if any. @returns {AbortSignal} */
  #begin() {
    this.#shown.abort();
    this.#shown = new AbortController();
    this.running = true;
    this.#began = performance.now();
    this.#step = "";
    this.#last = null;
    this.#story = null;
    this.workflowId = null;
    byId("results").replaceChildren();
    byId("failure").replaceChildren();
    byId("about").replaceChildren();
    byId("meter").className = "meter";
    byId("start").disabled = true;
    byId("stands").textContent = "Sending the photo …";
    byId("elapsed").textContent = "";
    byId("cancel").disabled = true;
    this.#meter(0);
    this.#draw();
    return this.#shown.signal;
  }

  /** @param {AbortSignal} shown */
  async #follow(shown) {
    const id = /** @type {string} */ (this.workflowId);
    byId("cancel").disabled = false;
    byId("about").replaceChildren("Workflow ", el("code", {}, id), ". ", el("a", { href: "#timeline" }, "See inside"));
    const looking = setInterval(() => this.#look(id), LOOK_MS);
    const clock = setInterval(() => this.#tick(), 100);
    try {
      const end = await this.api.follow(id, (change) => shown.aborted || this.#changed(change), shown);
      const answer = end.status === "COMPLETED" ? await this.api.status(id) : null;
      if (shown.aborted) return;
      this.running = false;
      if (end.status === "COMPLETED") this.#completed(answer);
      else if (end.status === "FAILED") this.#failed(end.error);
      else this.#cancelled();
    } catch (error) {
      if (!shown.aborted) this.#refused(/** @type {ApiError} */ (error));
    } finally {
      clearInterval(looking);
      clearInterval(clock);
      if (!shown.aborted) {
        this.running = false;
        byId("start").disabled = false;
        byId("cancel").disabled = true;
        await this.#look(id);
      }
    }
  }

  async #look(/** @type {string} */ id) {
    try {
      const story = await harness(`/workflows/${id}`);
      if (id !== this.workflowId) return;
      this.#story = story;
      this.#draw();
      this.onStory(story);
    } catch {
      // the next look may go better; the try-on itself does not need it
    }
  }

  #tick() {
    byId("elapsed").textContent = seconds((performance.now() - this.#began) / 1000);
  }

  /** @param {Change} change */
  #changed(change) {
    this.#last = change;
    if (change.status === "RUNNING") {
      this.#step = change.currentStep;
      byId("stands").textContent = `${words(change.currentStep)} …`;
      this.#meter(change.progress);
    }
    this.#draw();
  }

  /** @param {number} progress */
  #meter(progress) {
    byId("meter").setAttribute("aria-valuenow", String(progress));
    byId("meter-bar").style.width = `${progress}%`;
  }

  #draw() {
    const items = this.config.steps
      .filter((step) => step.name !== "COMPLETED")
      .map((step) => this.#item(step.name));
    show(byId("steps"), ...items);
  }

  /** @param {string} name */
  #item(name) {
    const attempts = (this.#story?.attempts ?? []).filter((/** @type {any} */ one) => one.step === name);
    const state = this.#state(name, attempts);
    const marks = { todo: "·", now: "●", done: "✓", failed: "✕", skipped: "–", stopped: "■" };
    const spoken = { todo: "to do", now: "running", done: "done", failed: "failed", skipped: "not needed", stopped: "cancelled" };
    const first = attempts[0];
    const last = attempts.at(-1);
    const took = first && last.ended !== null ? seconds(last.ended - first.began) : state === "skipped" ? "not needed" : "";
    return el(
      "li",
      { class: state, "data-step": name },
      el("span", { class: "mark", "aria-hidden": "true" }, marks[state]),
      el("span", { class: "name" }, words(name), el("span", { class: "hidden" }, `: ${spoken[state]}`)),
      el("span", { class: "took" }, took),
      this.#detail(name, state, attempts),
    );
  }

  /** @param {string} name @param {any[]} attempts @returns {"todo" | "now" | "done" | "failed" | "skipped" | "stopped"} */
  #state(name, attempts) {
    const names = this.config.steps.map((step) => step.name);
    const status = this.#last?.status;
    const failedAt = this.#last?.status === "FAILED" ? this.#last.error.failedStep : "";
    if (name === failedAt) return "failed";
    const at = names.indexOf(failedAt || this.#step);
    const done = status === "COMPLETED" || names.indexOf(name) < at;
    // A look is a little behind: a step is only known to be left out once a later one is seen.
    const later = this.#story?.attempts.some((/** @type {any} */ one) => names.indexOf(one.step) > names.indexOf(name));
    if (done) return later && !attempts.length ? "skipped" : "done";
    if (name === this.#step) return status === "CANCELLED" ? "stopped" : "now";
    return "todo";
  }

  /** @param {string} name @param {string} state @param {any[]} attempts */
  #detail(name, state, attempts) {
    const last = attempts.at(-1);
    if (!last) return null;
    const polls = this.#story.calls.filter(
      (/** @type {any} */ call) => call.operation === "poll" && call.at >= attempts[0].began && this.#of(call.service) === name,
    ).length;
    const parts = [];
    if (last.number > 1 || last.backoff !== null)
      parts.push(state === "now" ? `attempt ${last.number}` : `${last.number} ${last.number === 1 ? "attempt" : "attempts"}`);
    if (polls) parts.push(`${polls} ${polls === 1 ? "poll" : "polls"}`);
    const waiting = state === "now" && last.backoff !== null && last.ended !== null;
    if (waiting) {
      const left = Math.max(0, last.ended + last.backoff - this.#story.length);
      parts.push(`failed: ${last.message || "no answer"}. Again in ${seconds(left)}`);
    }
    if (!parts.length) return null;
    return el("span", { class: `detail${waiting ? " wait" : ""}` }, parts.join(" · "));
  }

  /** @param {string} service */
  #of(service) {
    return this.config.steps.find((step) => step.service === service)?.name;
  }

  /** @param {any} answer */
  #completed(answer) {
    byId("stands").textContent = "Completed.";
    this.#meter(100);
    const result = /** @type {import("../../../docs/client/tryon.ts").Result} */ (answer.result);
    const pictures = [
      picture("Flux", result.fluxResultBase64, result.fluxMetrics),
      picture("Gemini", result.geminiResultBase64, result.geminiMetrics),
      picture("Flux, fidelity", result.fluxFidelityVizBase64),
      picture("Gemini, fidelity", result.geminiFidelityVizBase64),
    ];
    byId("results").replaceChildren(...pictures);
  }

  #cancelled() {
    byId("stands").textContent = "Cancelled.";
    byId("meter").className = "meter stopped";
  }

  /** @param {import("../../../docs/client/tryon.ts").Failure} failure */
  #failed(failure) {
    byId("stands").textContent = `Failed while ${words(failure.failedStep).toLowerCase()}.`;
    byId("meter").className = "meter bad";
    this.#explain(failure.code, failure.message, []);
  }

  /** @param {ApiError} error */
  #refused(error) {
    byId("stands").textContent = "Not accepted.";
    byId("meter").className = "meter bad";
    byId("start").disabled = false;
    this.#explain(error.code ?? "?", error.message, error.details ?? []);
  }

  /** @param {string} code @param {string} message @param {{field: string, message: string}[]} details */
  #explain(code, message, details) {
    const known = this.config.codes[code];
    byId("failure").replaceChildren(
      el(
        "div",
        { class: "explained" },
        el("span", { class: "code mono" }, code),
        el("p", {}, message),
        details.length > 0 && el("ul", {}, ...details.map((one) => el("li", {}, el("code", {}, one.field), ` ${one.message}`))),
        known ? el("dl", {}, el("dt", {}, "What it means"), el("dd", {}, known.meaning), el("dt", {}, "What to do"), el("dd", {}, known.advice)) : null,
      ),
    );
  }
}

/** @param {string} title @param {string | null} base64 @param {import("../../../docs/client/tryon.ts").Metrics | null} [metrics] */
function picture(title, base64, metrics) {
  if (!base64)
    return el(
      "figure",
      {},
      el("div", { class: "absent" }, "no picture"),
      el("figcaption", {}, el("h3", {}, title), el("p", { class: "quiet small" }, "This model gave none (null in the answer).")),
    );
  const url = `data:image/jpeg;base64,${base64}`;
  const name = title.toLowerCase().replace(", ", "-");
  return el(
    "figure",
    {},
    el("img", { src: url, alt: `${title}: the result` }),
    el(
      "figcaption",
      {},
      el("h3", {}, title, el("a", { href: url, download: `${name}.jpg`, class: "small" }, "Save")),
      ...(metrics
        ? [bar("precision", metrics.precision), bar("recall", metrics.recall), bar("IoU", metrics.iou), bar("growth", metrics.growthRatio, 2)]
        : [el("p", { class: "quiet small" }, "Where the jewellery agrees with the mask, and where not.")]),
    ),
  );
}

/** @param {string} name @param {number} value @param {number} [most] */
function bar(name, value, most = 1) {
  const width = Math.min(100, (value / most) * 100);
  return el(
    "div",
    { class: "metric" },
    el("span", {}, name),
    el("span", { class: "track", "aria-hidden": "true" }, svg("svg", { viewBox: "0 0 100 1", preserveAspectRatio: "none" }, svg("rect", { width, height: 1 }))),
    el("output", {}, value.toFixed(3)),
  );
}
