// The gateway's API for a frontend: typed by the gateway's own description (schema.d.ts, generated), and repeating what may be repeated.
// Copy this file and schema.d.ts, and `npm install openapi-fetch`. docs/api.md says what each call means.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

type Schemas = components["schemas"];
export type StartRequest = Schemas["StartRequest"];
export type MaskPoint = Schemas["AskedPoint"];
export type BrushStroke = Schemas["AskedStroke"];
export type Started = Schemas["Started"];
export type Running = Schemas["Running"];
export type Completed = Schemas["Completed"];
export type Failed = Schemas["Failed"];
export type Cancelled = Schemas["Cancelled"];
export type Status = Running | Completed | Failed | Cancelled;
export type Result = Schemas["Result"];
export type Metrics = Schemas["FidelityMetrics"];
export type Failure = Schemas["FailureAnswer"];
export type Health = Schemas["Health"];
type ErrorBody = Schemas["ErrorBody"];
/** How a try-on stands, as its stream tells it: without the pictures of a COMPLETED one. */
export type Change = Running | Failed | Cancelled | Omit<Completed, "result">;

/** A request that the gateway refused, or that did not reach it or its answer did not come (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: { field: string; message: string }[];
  /** Seconds after which it may be asked again; none when only an operator can mend it. */
  readonly retryAfter: number | null;

  constructor(status: number, code: string, message: string, details: ApiError["details"] = [], retryAfter: number | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
    this.retryAfter = retryAfter;
  }
}

/** How often a start is sent before it is given up. */
const START_TRIES = 5;
/** Milliseconds before a start without an answer is sent again; each further time twice as many. */
const START_AGAIN_MS = 500;
/** Milliseconds before a stream of events that broke is asked for again. */
const FOLLOW_AGAIN_MS = 1000;

export class TryOnApi {
  readonly baseUrl: string;
  readonly #client;

  /** @param baseUrl such as http://127.0.0.1:8000 */
  constructor(baseUrl: string, { apiKey, headers = {} }: { apiKey?: string; headers?: Record<string, string> } = {}) {
    this.baseUrl = baseUrl;
    this.#client = createClient<paths>({ baseUrl, headers: { ...headers, ...(apiKey ? { "X-API-Key": apiKey } : {}) } });
  }

  /** Start a try-on. When the answer does not come, or is one that passes, the same is sent again with the same key: that starts no second
   *  try-on. Give a key of your own to go on after a reload of the page. */
  async start(
    request: StartRequest,
    { idempotencyKey = crypto.randomUUID() as string, signal }: { idempotencyKey?: string; signal?: AbortSignal } = {},
  ): Promise<Started> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#answer(() =>
          this.#client.POST("/workflow/start", { params: { header: { "Idempotency-Key": idempotencyKey } }, body: request, signal }),
        );
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof ApiError) || !mayPass(error) || tries === START_TRIES) throw error;
        await pause(error.retryAfter === null ? START_AGAIN_MS * 2 ** (tries - 1) : error.retryAfter * 1000, signal);
      }
    }
  }

  /** Ask how a try-on stands; once it is COMPLETED, with its pictures. With `wait` the answer comes at the end, or after so many seconds. */
  status(workflowId: string, { wait = 0, signal }: { wait?: number; signal?: AbortSignal } = {}): Promise<Status> {
    return this.#answer(() =>
      this.#client.GET("/workflow/{workflowId}", { params: { path: { workflowId }, query: { wait } }, signal }),
    );
  }

  /** Cancel a running one. An ended one is an ApiError with status 409. */
  cancel(workflowId: string): Promise<Cancelled> {
    return this.#answer(() => this.#client.POST("/workflow/{workflowId}/cancel", { params: { path: { workflowId } } }));
  }

  /** Follow a try-on to its end, and return the last change. A stream that breaks is asked for again; it begins with how things stand.
   *  (An EventSource would do that too, but it cannot send an API key.) */
  async follow(workflowId: string, onChange: (change: Change) => void, signal?: AbortSignal): Promise<Change> {
    for (;;) {
      try {
        for await (const { name, data } of this.#events(workflowId, signal)) {
          if (name === "unavailable") break;
          onChange(data);
          if (name === "end") return data;
        }
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof ApiError) || (error.status >= 400 && error.status < 500 && error.status !== 408)) throw error;
      }
      await pause(FOLLOW_AGAIN_MS, signal);
    }
  }

  health(): Promise<Health> {
    return this.#answer(() => this.#client.GET("/health"));
  }

  async *#events(workflowId: string, signal?: AbortSignal): AsyncGenerator<{ name: string; data: Change }> {
    const body = await this.#answer(() =>
      this.#client.GET("/workflow/{workflowId}/events", { params: { path: { workflowId } }, parseAs: "stream", signal }),
    );
    if (!body) return;
    const reader = (body as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    try {
      for (;;) {
        const { done, value } = await reader.read().catch(() => ({ done: true, value: "" }));
        if (done) return;
        const events = (text + value).replaceAll("\r\n", "\n").split("\n\n");
        text = events.pop() ?? "";
        for (const event of events) {
          const field = (name: string) =>
            event.split("\n").filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim());
          const data = field("data").join("\n");
          if (data) yield { name: field("event")[0] ?? "message", data: JSON.parse(data) as Change };
        }
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  /** Return the body of an answer, or throw what it says. */
  async #answer<T>(call: () => Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
    const { data, error, response } = await call().catch((): never => {
      throw new ApiError(0, "GATEWAY_UNREACHABLE", `No answer from the gateway at ${this.baseUrl}`);
    });
    if (response.ok) return data as T;
    const { code = `HTTP_${response.status}`, message = "The gateway refused the request", details = [] } =
      (error as Partial<ErrorBody> | undefined)?.error ?? {};
    const wait = response.headers.get("Retry-After");
    throw new ApiError(response.status, code, message, details, wait === null ? null : Number(wait));
  }
}

/** Whether the same request may go better in a moment. */
const mayPass = (error: ApiError) =>
  error.status === 0 || error.status === 408 || (error.status === 503 && error.retryAfter !== null);

const pause = (milliseconds: number, signal?: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      signal?.removeEventListener("abort", stop);
      resolve();
    }
    function stop() {
      clearTimeout(timer);
      reject(signal?.reason);
    }
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
