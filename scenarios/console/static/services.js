// @ts-check
// The fakes: how each stands, faults on and off, what fired.

import { byId, el, show } from "./dom.js";
import { harness, send } from "./harness.js";

const LOOK_MS = 1500;

/** @typedef {{name: string, service: string, title: string, outcome: string}} Switch */

export class Services {
  /** @type {any[]} */ #states = [];
  #changes = 0;

  /** @param {Switch[]} switches @param {Record<string, string>} presets @param {() => {current: string | null, next: string}} ids @param {() => void} changed */
  constructor(switches, presets, ids, changed) {
    this.switches = switches;
    this.ids = ids;
    this.changed = changed;
    byId("scope").addEventListener("change", () => this.refresh());
    byId("scope-id").addEventListener("input", () => this.#draw());
    byId("profile").addEventListener("change", () => this.#do(() => harness(`/fakes/profile/${byId("profile").value}`, { method: "PUT" })));
    for (const [name, about] of Object.entries(presets)) byId("preset").append(el("option", { value: name, title: about }, name));
    byId("preset").addEventListener("change", () => {
      const name = byId("preset").value;
      byId("preset").value = "";
      if (name) this.#do(() => harness(`/fakes/presets/${name}`, { method: "PUT" }));
    });
    byId("all-off").addEventListener("click", () => this.#do(() => harness("/fakes/rules", { method: "DELETE" })));
    this.refresh();
    setInterval(() => document.visibilityState === "visible" && this.refresh(), LOOK_MS);
  }

  /** The workflow that faults are for, null for all, "" while none is named. @returns {string | null} */
  get scope() {
    const { current, next } = this.ids();
    const chosen = byId("scope").value;
    return chosen === "all" ? null : chosen === "next" ? next : chosen === "current" ? (current ?? "") : byId("scope-id").value.trim();
  }

  /** Titles of the faults that a try-on with this id will meet. @param {string} workflowId */
  armedFor(workflowId) {
    return this.switches
      .filter((one) => [this.#rule(one, null), this.#rule(one, workflowId)].some((rule) => rule))
      .map((one) => one.title);
  }

  async refresh() {
    byId("scope-id-row").hidden = byId("scope").value !== "other";
    byId("scope").options[2].disabled = !this.ids().current;
    const before = this.#changes;
    try {
      const states = await harness("/fakes");
      if (before !== this.#changes) return; // it was asked before the latest switch, and would turn it back on the page
      this.#states = states;
      this.#problem("");
    } catch (error) {
      this.#problem(/** @type {Error} */ (error).message);
      return;
    }
    this.#draw();
    this.changed();
  }

  /** @param {() => Promise<unknown>} action */
  async #do(action) {
    this.#changes += 1;
    try {
      await action();
    } catch (error) {
      this.#problem(/** @type {Error} */ (error).message);
      return;
    }
    await this.refresh();
  }

  /** @param {string} words */
  #problem(words) {
    byId("fakes-problem").textContent = words;
    byId("fakes-problem").hidden = !words;
  }

  /** @param {Switch} one @param {string | null} workflowId */
  #rule(one, workflowId) {
    const id = `console.${one.name}${workflowId ? `.${workflowId}` : ""}`;
    const state = this.#states.find((state) => state.service === one.service);
    return state?.rules?.find((/** @type {any} */ rule) => rule.id === id);
  }

  #draw() {
    const profiles = new Set(this.#states.filter((state) => state.up).map((state) => state.health.profile));
    const [profile] = profiles;
    if (document.activeElement !== byId("profile"))
      byId("profile").value = profiles.size === 1 && ["instant", "realistic", "overloaded"].includes(profile) ? profile : "";
    for (const state of this.#states) this.#card(state);
    const fired = this.#states.flatMap((state) => state.fired ?? []).sort((one, other) => other.at - one.at);
    show(byId("fired"), fired.length ? table(fired.slice(0, 12)) : el("p", { class: "quiet" }, "No fault has fired yet."));
  }

  /** @param {any} state */
  #card(state) {
    let card = document.getElementById(`service-${state.service}`);
    if (!card) {
      card = el("article", { class: "card service", id: `service-${state.service}` }, el("h3"), el("div"), el("ul", { class: "switches" }));
      byId("services").append(/** @type {Node} */ (card));
      const list = /** @type {HTMLElement} */ (/** @type {HTMLElement} */ (card).lastElementChild);
      for (const one of this.switches.filter((one) => one.service === state.service)) list.append(this.#switch(one));
    }
    const [head, body] = /** @type {HTMLElement} */ (card).children;
    const how = !state.fake ? "not a fake here" : state.up ? (state.health.refusing ? "refuses connections" : "up") : "down";
    show(head, el("span", { class: `dot ${state.up && !state.health.refusing ? "good" : "bad"}` }), el("span", {}, state.label), el("span", { class: "quiet small" }, how));
    const others = (state.rules ?? []).filter((/** @type {any} */ rule) => !rule.id.startsWith("console."));
    const named = others.map((/** @type {any} */ rule) => el("p", { class: "quiet small" }, `${rule.id}: fired ${rule.hits}×`));
    show(body, ...(state.up ? [gauges(state.health), ...named] : [el("p", { class: "quiet small" }, state.problem ?? "")]));
    for (const one of this.switches.filter((one) => one.service === state.service)) this.#mark(one, state);
  }

  /** @param {Switch} one */
  #switch(one) {
    const box = el("input", {
      type: "checkbox",
      role: "switch",
      id: `switch-${one.name}`,
      onchange: () => this.#do(() => send(`/fakes/switches/${one.name}`, { on: box.checked, workflow_id: this.scope })),
    });
    return el(
      "li",
      {},
      el("label", {}, box, el("span", {}, one.title), el("span", { class: "hits" }), el("span", { class: "outcome" }, one.outcome)),
    );
  }

  /** @param {Switch} one @param {any} state */
  #mark(one, state) {
    const scope = this.scope;
    const rule = scope === "" ? null : this.#rule(one, scope);
    const box = byId(`switch-${one.name}`);
    box.checked = Boolean(rule);
    box.disabled = !state.up || scope === "";
    const label = box.closest("label");
    label.className = rule ? "on" : "";
    label.querySelector(".hits").textContent = rule ? `fired ${rule.hits}×` : "";
  }
}

/** @param {any} health */
function gauges(health) {
  const slots = health.slots ? `${health.busy_slots} / ${health.slots}` : "no limit";
  const pairs = [["busy slots", slots], ["queue", health.queue_depth], ["jobs", health.jobs], ["calls", health.calls]];
  return el("dl", { class: "gauges" }, ...pairs.map(([name, value]) => el("div", {}, el("dt", {}, String(name)), el("dd", {}, String(value)))));
}

/** @param {any[]} calls */
function table(calls) {
  const rows = calls.map((call) =>
    el(
      "tr",
      {},
      el("td", {}, new Date(call.at * 1000).toLocaleTimeString()),
      el("td", {}, `${call.service}.${call.operation}`),
      el("td", {}, call.fault),
      el("td", {}, call.status === null ? "no answer" : String(call.status)),
      el("td", {}, `call ${call.call}, attempt ${call.attempt ?? "–"}`),
      el("td", {}, el("code", {}, call.key ? call.key.slice(0, 8) : "–")),
    ),
  );
  const heads = ["when", "call", "fault", "answer", "number", "workflow"].map((name) => el("th", { scope: "col" }, name));
  return el("table", {}, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows));
}
