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
 *   services: Record<string, "online" | "slow" | "offline">}} Health */

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

/** Milliseconds before a stream of events that broke is asked for again. */
const AGAIN_MS = 1000;

export class TryOnApi {
  /** @type {Record<string, string>} */
  #headers;

  /** @param {string} baseUrl such as http://127.0.0.1:8000 @param {{apiKey?: string}} [options] */
  constructor(baseUrl, { apiKey } = {}) {
    this.baseUrl = baseUrl;
    this.#headers = apiKey ? { "X-API-Key": apiKey } : {};
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

  /** Follow a try-on to its end. A stream that breaks is asked for again; it begins with how things stand.
   *  (An EventSource would do that too, but it cannot send an API key.)
   *  @param {string} workflowId @param {(change: Change) => void} onChange @param {AbortSignal} [signal]
   *  @returns {Promise<Change>} the last change */
  async follow(workflowId, onChange, signal) {
    for (;;) {
      try {
        for await (const { name, data } of this.#events(`/workflow/${encodeURIComponent(workflowId)}/events`, signal)) {
          if (name === "error") break;
          onChange(data);
          if (name === "end") return data;
        }
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof ApiError && error.status >= 400 && error.status < 500) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  /** @returns {Promise<Health>} */
  health() {
    return this.#json("/health");
  }

  /** @param {string} path @param {AbortSignal} [signal] @returns {AsyncGenerator<{name: string, data: any}>} */
  async *#events(path, signal) {
    const { body } = await this.#fetch(path, { signal });
    if (!body) return;
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        const events = (text + value).replaceAll("\r\n", "\n").split("\n\n");
        text = events.pop() ?? "";
        for (const event of events) {
          const field = (/** @type {string} */ name) =>
            event.split("\n").filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim());
          const data = field("data").join("\n");
          if (data) yield { name: field("event")[0] ?? "message", data: JSON.parse(data) };
        }
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  /** @param {string} path @param {RequestInit} [init] @returns {Promise<any>} */
  async #json(path, init) {
    return (await this.#fetch(path, init)).json();
  }

  /** @param {string} path @param {RequestInit} [init] @returns {Promise<Response>} */
  async #fetch(path, init) {
    let response;
    try {
      response = await fetch(this.baseUrl + path, { ...init, headers: { ...this.#headers, ...init?.headers } });
    } catch {
      throw new ApiError(0, "GATEWAY_UNREACHABLE", `No answer from the gateway at ${this.baseUrl}`);
    }
    if (response.ok) return response;
    const error = (await response.json().catch(() => null))?.error ?? {};
    throw new ApiError(
      response.status,
      error.code ?? `HTTP_${response.status}`,
      error.message ?? "The gateway refused the request",
      error.details ?? [],
    );
  }
}
