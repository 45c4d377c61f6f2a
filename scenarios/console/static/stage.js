// @ts-check
// The photo with points and strokes on it: by mouse, finger, pen or keyboard.

import { el, svg } from "./dom.js";

const LONGEST = 1536; // pixels of the resized picture's longer side: brush sizes are in these
const STEP = 0.02;
const STROKE_POINTS = 400; // of one stroke; the API takes 2,000 in all

/** @typedef {import("../../../docs/client/tryon.ts").MaskPoint} MaskPoint */
/** @typedef {import("../../../docs/client/tryon.ts").BrushStroke} BrushStroke */

export class Stage {
  /** @type {MaskPoint[]} */ points = [];
  /** @type {BrushStroke[]} */ strokes = [];
  /** @type {("point" | "stroke")[]} */ order = [];
  /** @type {"here" | "not-here" | "add" | "remove"} */ tool = "here";
  brush = 40;
  #picture = "";
  #width = 1;
  #height = 1;
  #cursor = { x: 0.5, y: 0.5 };
  /** @type {BrushStroke | null} */ #stroke = null;
  #byKeys = false;

  /** @param {HTMLElement} host @param {() => void} changed @param {(words: string) => void} say */
  constructor(host, changed, say) {
    this.changed = changed;
    this.say = say;
    this.image = el("img", { alt: "Your photo" });
    this.overlay = svg("svg", {
      tabindex: 0,
      role: "application",
      "aria-label":
        "Photo. Arrow keys move the cross, Enter sets a point or begins and ends a stroke, Backspace takes the last one back.",
      preserveAspectRatio: "none",
    });
    host.replaceChildren(this.image, this.overlay);
    this.overlay.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.#down(event));
    this.overlay.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => this.#move(event));
    for (const kind of ["pointerup", "pointercancel"]) this.overlay.addEventListener(kind, () => this.#up());
    this.overlay.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
    this.overlay.addEventListener("focus", () => this.draw());
    this.overlay.addEventListener("blur", () => this.draw());
  }

  get picture() {
    return this.#picture;
  }

  /** Take a photo as a data: URL; what was on the one before goes. @param {string} url @param {MaskPoint[]} [points] */
  async take(url, points = []) {
    const image = new Image();
    image.src = url;
    await image.decode();
    const scale = Math.min(1, LONGEST / Math.max(image.naturalWidth, image.naturalHeight));
    this.#width = Math.round(image.naturalWidth * scale);
    this.#height = Math.round(image.naturalHeight * scale);
    this.#picture = url;
    this.image.src = url;
    this.overlay.setAttribute("viewBox", `0 0 ${this.#width} ${this.#height}`);
    this.points = [...points];
    this.strokes = [];
    this.order = points.map(() => "point");
    this.#done();
  }

  undo() {
    const last = this.order.pop();
    if (last === "point") this.points.pop();
    else if (last === "stroke") this.strokes.pop();
    this.#done();
    if (last) this.say(`Took back the last ${last}`);
  }

  clear() {
    this.points = [];
    this.strokes = [];
    this.order = [];
    this.#done();
    this.say("Removed all points and strokes");
  }

  draw() {
    const unit = Math.max(this.#width, this.#height) / 100;
    const shapes = this.strokes.concat(this.#stroke ?? []).map((stroke) => this.#path(stroke));
    for (const point of this.points) shapes.push(this.#pin(point, unit));
    if (document.activeElement === this.overlay) shapes.push(this.#cross(unit));
    this.overlay.replaceChildren(...shapes);
  }

  /** @param {BrushStroke} stroke */
  #path(stroke) {
    const places = stroke.points.map(({ x, y }) => `${(x * this.#width).toFixed(1)},${(y * this.#height).toFixed(1)}`);
    if (places.length === 1) places.push(places[0]); // a line of no length still has round ends
    return svg("polyline", {
      points: places.join(" "),
      class: `stroke ${stroke.mode}`,
      "stroke-width": stroke.size,
      "data-mark": stroke.mode,
    });
  }

  /** @param {MaskPoint} point @param {number} unit */
  #pin(point, unit) {
    const at = `translate(${point.x * this.#width} ${point.y * this.#height})`;
    const sign = point.label ? `M${-unit} 0H${unit}M0 ${-unit}V${unit}` : `M${-unit} 0H${unit}`;
    return svg(
      "g",
      { transform: at, class: point.label ? "pin here" : "pin not-here", "data-mark": "point" },
      svg("circle", { r: unit * 1.9, "stroke-width": unit * 0.4 }),
      svg("path", { d: sign, "stroke-width": unit * 0.5 }),
    );
  }

  /** @param {number} unit */
  #cross(unit) {
    const x = this.#cursor.x * this.#width;
    const y = this.#cursor.y * this.#height;
    const far = unit * 4;
    const d = `M${x - far} ${y}H${x + far}M${x} ${y - far}V${y + far}`;
    return svg(
      "g",
      { class: "cross" },
      svg("path", { d, "stroke-width": unit * 0.9, class: "under" }),
      svg("path", { d, "stroke-width": unit * 0.35 }),
    );
  }

  /** @param {PointerEvent} event */
  #place(event) {
    const box = this.overlay.getBoundingClientRect();
    const within = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));
    return { x: within((event.clientX - box.left) / box.width), y: within((event.clientY - box.top) / box.height) };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!this.#picture || event.button) return;
    this.#cursor = this.#place(event);
    if (this.tool === "add" || this.tool === "remove") {
      this.overlay.setPointerCapture(event.pointerId);
      this.#begin(false);
    } else this.#point();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (!this.#stroke || this.#byKeys) return;
    this.#cursor = this.#place(event);
    this.#extend();
  }

  #up() {
    if (this.#stroke && !this.#byKeys) this.#end();
  }

  #point() {
    const label = this.tool === "here" ? 1 : 0;
    this.points.push({ ...this.#rounded(), label });
    this.order.push("point");
    this.#done();
    this.say(label ? "Set a point: jewellery here" : "Set a point: not here");
  }

  /** @param {boolean} byKeys */
  #begin(byKeys) {
    this.#byKeys = byKeys;
    const mode = this.tool === "remove" ? "remove" : "add";
    this.#stroke = { points: [this.#rounded()], mode, size: this.brush };
    this.draw();
  }

  #extend() {
    const stroke = this.#stroke;
    if (!stroke || stroke.points.length >= STROKE_POINTS) return;
    const last = stroke.points[stroke.points.length - 1];
    const moved = Math.hypot((this.#cursor.x - last.x) * this.#width, (this.#cursor.y - last.y) * this.#height);
    if (moved < stroke.size / 8) return;
    stroke.points.push(this.#rounded());
    this.draw();
  }

  #end() {
    if (!this.#stroke) return;
    this.strokes.push(this.#stroke);
    this.order.push("stroke");
    this.say(this.#stroke.mode === "add" ? "Painted jewellery" : "Rubbed out");
    this.#stroke = null;
    this.#done();
  }

  #rounded() {
    return { x: Math.round(this.#cursor.x * 1e4) / 1e4, y: Math.round(this.#cursor.y * 1e4) / 1e4 };
  }

  #done() {
    this.draw();
    this.changed();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    /** @type {Record<string, [number, number]>} */
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (move) {
      const step = event.shiftKey ? STEP * 4 : STEP;
      this.#cursor = {
        x: Math.min(1, Math.max(0, this.#cursor.x + move[0] * step)),
        y: Math.min(1, Math.max(0, this.#cursor.y + move[1] * step)),
      };
      this.#extend();
      this.draw();
    } else if (event.key === "Enter" || event.key === " ") {
      if (!this.#picture) return;
      if (this.tool === "here" || this.tool === "not-here") this.#point();
      else if (this.#stroke) this.#end();
      else this.#begin(true);
    } else if (event.key === "Backspace" || event.key === "Delete") this.undo();
    else return;
    event.preventDefault();
  }
}
