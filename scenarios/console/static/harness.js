// @ts-check
// What the console's own server answers: the fakes, timelines, scenarios. No part of the public API.

/** @param {string} path @param {RequestInit} [init] @returns {Promise<any>} */
export async function harness(path, init) {
  let response;
  try {
    response = await fetch(`/harness${path}`, init);
  } catch {
    throw new Error("The console's server does not answer. Is the stack still up?");
  }
  const body = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw new Error(body?.message ?? `The console's server answered ${response.status}`);
  return body;
}

/** @param {string} path @param {unknown} body @param {string} [method] */
export const send = (path, body, method = "PUT") =>
  harness(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
