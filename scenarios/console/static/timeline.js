// @ts-check
// Any workflow by its id: the drawing comes from the server, the same as in the scenarios' reports.

import { byId, el, seconds } from "./dom.js";
import { harness } from "./harness.js";
import { Reproduction } from "./reproduction.js";

const LOOK_MS = 1000;

export class Timeline {
  #shown = "";
  #timer = 0;
  #looks = 0;
  #reproduction = new Reproduction();

  constructor() {
    byId("lookup").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.look(byId("workflow-id").value.trim());
    });
  }

  /** Show a workflow, and go on while it runs. @param {string} id */
  async look(id) {
    clearTimeout(this.#timer);
    const look = (this.#looks += 1);
    try {
      const story = await harness(`/workflows/${encodeURIComponent(id)}`);
      if (look !== this.#looks) return; // another workflow was asked for meanwhile
      this.draw(story);
      if (story.status === "RUNNING") this.#timer = setTimeout(() => this.look(id), LOOK_MS);
    } catch (error) {
      if (look !== this.#looks) return;
      byId("drawing").replaceChildren(el("p", { class: "problem", role: "alert" }, /** @type {Error} */ (error).message));
      byId("temporal-link").hidden = true;
      this.#reproduction.shown("", "");
    }
  }

  /** @param {any} story */
  draw(story) {
    const drawing = byId("drawing");
    if (this.#shown !== story.workflowId) byId("workflow-id").value = story.workflowId;
    this.#shown = story.workflowId;
    this.#reproduction.shown(story.workflowId, story.status);
    byId("temporal-link").hidden = !story.page;
    if (story.page) byId("temporal-link").href = story.page;
    if (story.status !== "RUNNING") clearTimeout(this.#timer);
    const open = drawing.querySelector("details")?.open ?? false;
    const picture = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Timeline drawing" });
    picture.innerHTML = story.drawing; // made by our own server, which escapes what it did not make
    drawing.replaceChildren(
      el("p", {}, el("b", {}, story.status), ` after ${seconds(story.length)}, ${story.attempts.length} attempts, ${story.calls.length} calls`),
      picture,
      el("details", { open }, el("summary", {}, "As a table"), table(story)),
    );
  }
}

/** @param {any} story */
function table(story) {
  const rows = story.attempts.map((/** @type {any} */ one) => {
    const calls = story.calls.filter((/** @type {any} */ call) => call.attempt === one.number && call.at >= one.began && call.at <= (one.ended ?? Infinity));
    const faults = calls.filter((/** @type {any} */ call) => call.fault).map((/** @type {any} */ call) => `${call.service}.${call.operation}: ${call.fault}`);
    return el(
      "tr",
      {},
      el("td", {}, one.activity),
      el("td", {}, String(one.number)),
      el("td", {}, `${one.began.toFixed(1)} s`),
      el("td", {}, one.ended === null ? "…" : seconds(one.ended - one.began)),
      el("td", {}, one.message ? `${one.outcome}: ${one.message}` : one.outcome),
      el("td", {}, one.backoff === null ? "" : seconds(one.backoff)),
      el("td", {}, faults.join(", ")),
    );
  });
  const heads = ["activity", "attempt", "began", "took", "outcome", "then waits", "faults"];
  return el(
    "table",
    {},
    el("thead", {}, el("tr", {}, ...heads.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, ...rows),
  );
}
