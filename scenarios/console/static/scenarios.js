// @ts-check
// The catalogue: run a scenario in virtual or real time, watch it, copy its command.

import { byId, el } from "./dom.js";
import { harness } from "./harness.js";

const LOOK_MS = 700;

/** @typedef {{name: string, story: string, theme: string, real: boolean, command: string}} Scenario */

export class Scenarios {
  /** @param {(workflowId: string) => void} watch */
  constructor(watch) {
    this.watch = watch;
    byId("filter").addEventListener("input", () => this.#filter());
    this.#load();
  }

  async #load() {
    /** @type {Scenario[]} */
    const all = await harness("/scenarios");
    const themes = [...new Set(all.map((one) => one.theme))];
    byId("catalogue").replaceChildren(
      ...themes.map((theme) => {
        const members = all.filter((one) => one.theme === theme);
        return el(
          "details",
          { class: "theme" },
          el("summary", {}, theme, el("span", { class: "quiet small" }, ` ${members.length}`)),
          el("ul", {}, ...members.map((one) => this.#item(one))),
        );
      }),
    );
    this.#filter();
  }

  /** @param {Scenario} one */
  #item(one) {
    const outcome = el("div", { class: "outcome", role: "status" });
    const buttons = [
      el("button", { type: "button", "aria-label": `Run ${one.name} in virtual time`, onclick: () => this.#run(one, "virtual", outcome) }, "Virtual"),
      el("button", { type: "button", "aria-label": `Run ${one.name} in real time`, disabled: !one.real, title: one.real ? "" : "It would take minutes, or needs what is not here", onclick: () => this.#run(one, "real", outcome) }, "Real time"),
      el("button", { type: "button", class: "plain", "aria-label": `Copy the command of ${one.name}`, onclick: (/** @type {any} */ event) => copy(one.command, event.target) }, "Copy"),
    ];
    return el(
      "li",
      { class: "scenario", "data-name": one.name },
      el("div", {}, el("code", {}, one.name), el("p", { class: "small" }, one.story)),
      el("div", { class: "row" }, ...buttons),
      outcome,
    );
  }

  #filter() {
    const wanted = byId("filter").value.trim().toLowerCase();
    let shown = 0;
    for (const theme of byId("catalogue").querySelectorAll("details")) {
      let some = false;
      for (const item of theme.querySelectorAll("li")) {
        item.hidden = Boolean(wanted) && !(item.textContent ?? "").toLowerCase().includes(wanted);
        if (!item.hidden) shown += 1;
        some ||= !item.hidden;
      }
      theme.hidden = !some;
      if (wanted) theme.open = some;
    }
    byId("shown").textContent = `${shown} scenario${shown === 1 ? "" : "s"}`;
  }

  /** @param {Scenario} one @param {"virtual" | "real"} how @param {HTMLElement} outcome */
  async #run(one, how, outcome) {
    const began = performance.now();
    try {
      let run = await harness(`/scenarios/${one.name}/runs/${how}`, { method: "POST" });
      if (run.workflowId) this.watch(run.workflowId);
      while (run.state === "running") {
        const waited = Math.round((performance.now() - began) / 1000);
        const what = how === "virtual" ? "its own world starts first, about 10 s" : "watch it above";
        outcome.replaceChildren(el("span", { class: "quiet small" }, `running (${what}) … ${waited} s`));
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        run = await harness(`/runs/${run.runId}`);
      }
      outcome.replaceChildren(...result(one, run));
    } catch (error) {
      outcome.replaceChildren(el("span", { class: "problem" }, /** @type {Error} */ (error).message));
    }
  }
}

/** @param {Scenario} one @param {any} run */
function result(one, run) {
  return [
    el("b", { class: run.state }, run.state === "passed" ? "✓ passed" : "✕ failed"),
    el("details", { open: run.state === "failed" }, el("summary", {}, "Its story"), el("pre", { tabindex: 0 }, run.text)),
    run.timeline && el("iframe", { src: run.timeline, title: `Timeline of ${one.name}`, loading: "lazy" }),
  ].filter(Boolean);
}

/** @param {string} command @param {HTMLElement} button */
async function copy(command, button) {
  try {
    await navigator.clipboard.writeText(command);
    button.textContent = "Copied";
  } catch {
    button.textContent = command; // no clipboard here: then to be copied by hand
  }
  setTimeout(() => (button.textContent = "Copy"), 4000);
}
