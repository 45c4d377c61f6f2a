// What a page does with the client, as one story after another: node calls.ts URL STORY; prints what it saw as JSON.
import { argv, stdin } from "node:process";
import { ApiError, type Change, TryOnApi, type StartRequest } from "./tryon.ts";

const [url = "", story = "", scenario] = argv.slice(2);
const api = new TryOnApi(url, scenario ? { headers: { "X-Scenario": scenario } } : {});
let text = "";
for await (const part of stdin) text += part;
const request: StartRequest = JSON.parse(text);

const stories: Record<string, () => Promise<unknown>> = {
  async whole() {
    const { workflowId } = await api.start(request);
    const changes: Change[] = [];
    const last = await api.follow(workflowId, (change) => changes.push(change));
    return { workflowId, changes, last, end: await api.status(workflowId) };
  },
  async waited() {
    const { workflowId } = await api.start(request);
    return api.status(workflowId, { wait: 20 });
  },
  async cancelled() {
    const { workflowId } = await api.start(request);
    const answer = await api.cancel(workflowId);
    await api.status(workflowId, { wait: 20 });
    return { answer, again: await api.cancel(workflowId).catch(told) };
  },
  async twice() {
    const idempotencyKey = crypto.randomUUID();
    return [await api.start(request, { idempotencyKey }), await api.start(request, { idempotencyKey })];
  },
  async wrong() {
    return api.start({ ...request, maskPoints: [{ x: 2, y: 0, label: 1 }] }).catch(told);
  },
  async refused() {
    return api.start(request).catch(told);
  },
  async unknown() {
    return { status: await api.status("nobody").catch(told), follow: await api.follow("nobody", () => undefined).catch(told) };
  },
  async left() {
    const { workflowId } = await api.start(request);
    const leaving = new AbortController();
    const following = api.follow(workflowId, () => leaving.abort(), leaving.signal);
    return following.catch((error: Error) => error.name);
  },
  health: () => api.health(),
};

function told(error: unknown) {
  if (!(error instanceof ApiError)) throw error;
  const { status, code, message, details, retryAfter } = error;
  return { status, code, message, details, retryAfter };
}

const play = stories[story];
if (!play) throw new Error(`no story ${story}`);
console.log(JSON.stringify(await play()));
