// @ts-check
// The gateway's public API, and nothing else: copy this file into a frontend of your own.

/** @typedef {{x: number, y: number, label: 0 | 1}} MaskPoint  Fractions of width and height; 1: jewellery, 0: not here. */
/** @typedef {{points: {x: number, y: number}[], mode: "add" | "remove", size: number}} BrushStroke
 *  `size` is a diameter in pixels of the resized picture, whose longer side is at most 1536. */
/** @typedef {{originalImageBase64: string, maskPoints: MaskPoint[], brushStrokes?: BrushStroke[], sessionId?: string}} StartRequest
 *  The picture may be a `data:` URL, as FileReader gives it. */
/** @typedef {{precision: number, recall: number, iou: number, growthRatio: number}} Metrics */
/** @typedef {{fluxResultBase64: string, geminiResultBase64: string | null, fluxMetrics: Metrics,
 *   geminiMetrics: Metrics | null, fluxFidelityVizBase64: string | null, geminiFidelityVizBase64: string | null}} Result */
/** @typedef {{code: string, message: string, failedStep: string}} Failure */
/** @typedef {{workflowId: string, status: "RUNNING", progress: number, currentStep: string}} Running */
/** @typedef {{workflowId: string, status: "COMPLETED", result: Result}} Completed */
/** @typedef {{workflowId: string, status: "FAILED", error: Failure}} Failed */
/** @typedef {{workflowId: string, status: "CANCELLED"}} Cancelled */
/** @typedef {Running | Completed | Failed | Cancelled} Status */
/** @typedef {Running | Failed | Cancelled | {workflowId: string, status: "COMPLETED"}} Change  A change has no pictures. */
/** @typedef {{status: "healthy" | "degraded", temporal: "connected" | "disconnected",
 *   services: Record<string, "online" | "offline">}} Health */

/** A request that the gateway refused, or that did not reach it (`status` 0). */
export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} message
   *  @param {{field: string, message: string}[]} details */
  constructor(status, code, message, details = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

export class TryOnApi {
  /** @param {string} baseUrl such as http://127.0.0.1:8000 */
  constructor(baseUrl) {
    this.baseUrl = baseUrl;
  }

  /** Start a try-on. The same key and request again: the same try-on, not a second one.
   *  @param {StartRequest} request @param {{idempotencyKey?: string}} [options]
   *  @returns {Promise<{workflowId: string, status: "RUNNING"}>} */
  start(request, { idempotencyKey } = {}) {
    /** @type {Record<string, string>} */
    const headers = { "Content-Type": "application/json" };
    if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
    return this.#json("/workflow/start", { method: "POST", headers, body: JSON.stringify(request) });
  }

  /** Ask how a try-on stands; once it is COMPLETED, with its pictures.
   *  @param {string} workflowId @returns {Promise<Status>} */
  status(workflowId) {
    return this.#json(`/workflow/${encodeURIComponent(workflowId)}`);
  }

  /** @param {string} workflowId @returns {Promise<Cancelled>} */
  cancel(workflowId) {
    return this.#json(`/workflow/${encodeURIComponent(workflowId)}/cancel`, { method: "POST" });
  }

  /** Follow a try-on to its end. The browser connects again by itself when the connection breaks.
   *  @param {string} workflowId @param {(change: Change) => void} onChange @param {AbortSignal} [signal]
   *  @returns {Promise<Change>} the last change */
  follow(workflowId, onChange, signal) {
    return new Promise((resolve, reject) => {
      const source = new EventSource(`${this.baseUrl}/workflow/${encodeURIComponent(workflowId)}/events`);
      /** @param {() => void} how */
      const leave = (how) => {
        source.close();
        how();
      };
      source.addEventListener("progress", (event) => onChange(JSON.parse(event.data)));
      source.addEventListener("end", (event) => {
        const last = JSON.parse(event.data);
        leave(() => {
          onChange(last);
          resolve(last);
        });
      });
      source.addEventListener("error", () => {
        if (source.readyState === EventSource.CLOSED)
          leave(() => reject(new ApiError(0, "EVENTS_LOST", "The stream of events was refused")));
      });
      signal?.addEventListener("abort", () => leave(() => reject(signal.reason)));
    });
  }

  /** @returns {Promise<Health>} */
  health() {
    return this.#json("/health");
  }

  /** @param {string} path @param {RequestInit} [init] @returns {Promise<any>} */
  async #json(path, init) {
    let response;
    try {
      response = await fetch(this.baseUrl + path, init);
    } catch {
      throw new ApiError(0, "GATEWAY_UNREACHABLE", `No answer from the gateway at ${this.baseUrl}`);
    }
    const body = await response.json().catch(() => null);
    if (response.ok) return body;
    const error = body?.error ?? {};
    throw new ApiError(
      response.status,
      error.code ?? `HTTP_${response.status}`,
      error.message ?? "The gateway refused the request",
      error.details ?? [],
    );
  }
}
