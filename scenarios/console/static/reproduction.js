// @ts-check
// A workflow becomes a scenario that goes the same way: the command runs on the server, its files come from there.

import { byId, el } from "./dom.js";
import { harness } from "./harness.js";

const LOOK_MS = 700;
/** @type {Record<string, string>} */
const VERDICTS = {
  passed: "✓ The scenario goes the same way",
  failed: "✕ The scenario goes another way",
  broken: "✕ There is no scenario of it",
};

export class Reproduction {
  #workflowId = "";
  #asked = 0;
  #running = false;
  #ended = false;

  constructor() {
    byId("make-scenario").addEventListener("click", () => this.#make());
  }

  /** Another workflow is shown, or the same one has gone on; none without an id. @param {string} workflowId @param {string} status */
  shown(workflowId, status) {
    if (workflowId !== this.#workflowId) {
      this.#workflowId = workflowId;
      this.#asked += 1; // what is under way is of another one
      this.#running = false;
      byId("reproduction").replaceChildren();
    }
    this.#ended = Boolean(workflowId) && status !== "RUNNING";
    this.#able();
  }

  #able() {
    byId("make-scenario").disabled = this.#running || !this.#ended;
  }

  async #make() {
    const asked = (this.#asked += 1);
    const began = performance.now();
    const shown = byId("reproduction");
    this.#running = true;
    this.#able();
    try {
      let made = await harness(`/workflows/${encodeURIComponent(this.#workflowId)}/scenario`, { method: "POST" });
      while (made.state === "running") {
        if (asked !== this.#asked) return;
        const waited = Math.round((performance.now() - began) / 1000);
        const words = `reading the history, looking for what fits, playing it in a world of its own … ${waited} s`;
        shown.replaceChildren(...[el("span", { class: "quiet small" }, words), made.text && el("pre", { tabindex: 0 }, made.text)].filter(Boolean));
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        made = await harness(`/reproductions/${made.number}`);
      }
      if (asked === this.#asked) shown.replaceChildren(...result(made));
    } catch (error) {
      if (asked === this.#asked) shown.replaceChildren(el("span", { class: "problem" }, /** @type {Error} */ (error).message));
    } finally {
      if (asked === this.#asked) {
        this.#running = false;
        this.#able();
      }
    }
  }
}

/** @param {any} made */
function result(made) {
  const files = Object.entries(made.files).map(([name, href]) => el("li", {}, el("a", { href, download: name }, name)));
  return [
    el("b", { class: made.state === "passed" ? "passed" : "failed" }, VERDICTS[made.state]),
    files.length ? el("ul", { class: "files" }, ...files) : null,
    el("pre", { tabindex: 0 }, made.text),
    el("p", { class: "small quiet" }, "The same in a terminal: ", el("code", {}, made.command)),
  ].filter(Boolean);
}
