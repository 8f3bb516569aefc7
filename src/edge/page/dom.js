/* Builds what is shown. Names of devices are hostile input: nothing here takes HTML, and text stays text. */

/** @typedef {string | Node} Child */

/**
 * An element with attributes (`null` and `false` leave one out, `true` gives it no value) and children.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string | boolean | null>>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(made, name, value);
  made.append(...children);
  return made;
}

/** @param {Element} node @param {string} name @param {string | boolean | null} value */
export function setAttribute(node, name, value) {
  if (value === null || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== (value === true ? '' : value))
    node.setAttribute(name, value === true ? '' : value);
}

/** Changes a text only if it is another one: so what is selected or read aloud stays as it is. @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** What the page has under this id. @param {string} id */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * A row of a list that shows one item after the other.
 * @template Item
 * @typedef {{ readonly node: HTMLElement, readonly update: (item: Item) => void }} Row
 */

/**
 * Shows items in a parent, each in a row that stays as long as its item: what has the focus keeps it.
 * @template Item
 */
export class Rows {
  /** @type {Map<string, Row<Item>>} */
  #rows = new Map();
  #parent;
  #keyOf;
  #make;

  /** @param {HTMLElement} parent @param {(item: Item) => string} keyOf @param {() => Row<Item>} make */
  constructor(parent, keyOf, make) {
    this.#parent = parent;
    this.#keyOf = keyOf;
    this.#make = make;
  }

  /** @param {readonly Item[]} items */
  show(items) {
    const before = this.#rows;
    this.#rows = new Map();
    let place = this.#parent.firstElementChild;
    for (const item of items) {
      const key = this.#keyOf(item);
      const row = before.get(key) ?? this.#make();
      before.delete(key);
      this.#rows.set(key, row);
      row.update(item);
      if (row.node === place) place = place.nextElementSibling;
      else this.#parent.insertBefore(row.node, place);
    }
    for (const { node } of before.values()) node.remove();
  }
}

/** A card of the page, with its heading. @param {string} title @param {string} id @param {...Child} children */
export function card(title, id, ...children) {
  return element(
    'section',
    { class: 'card', id, 'aria-labelledby': `${id}-title` },
    element('h2', { id: `${id}-title` }, title),
    ...children,
  );
}

/** A word with a sign and a colour: none of it alone has to be seen. @param {string} tone ok, idle, warn or bad */
export function badge(tone = 'idle', text = '') {
  const made = element('span', { class: `badge ${tone}` }, text);
  return made;
}

/** @param {HTMLElement} made @param {string} tone @param {string} text */
export function setBadge(made, tone, text) {
  setAttribute(made, 'class', `badge ${tone}`);
  setText(made, text);
}
