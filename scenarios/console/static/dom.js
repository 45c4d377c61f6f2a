// @ts-check

/** Make an element: el("p", {class: "quiet"}, "words"). Properties that begin with "on" are listeners.
 *  @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node | string | null | false)} children
 *  @returns {any} */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}

/** @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node | string)} children @returns {any} */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** @param {string} id @returns {any} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return found;
}

/** Replace children only when their text or structure changed, so that focus and screen readers are left in peace.
 *  @param {Element} parent @param {...Node} children */
export function show(parent, ...children) {
  const fresh = document.createElement(parent.tagName);
  fresh.append(...children);
  if (fresh.innerHTML === parent.innerHTML) return;
  parent.replaceChildren(...fresh.childNodes);
}

/** @param {number} seconds */
export const seconds = (seconds) => (seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`);

/** "GENERATING_MASK" to "Generating mask". @param {string} name */
export const words = (name) => name[0] + name.slice(1).toLowerCase().replaceAll("_", " ");
