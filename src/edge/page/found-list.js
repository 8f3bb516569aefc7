/* A long list: looked through by a part of a name, and in pages. It asks for what it shows by itself. */
import { ask, inWords } from './api.js';
import { element, Rows, setText } from './dom.js';
import { sentence } from './troubles.js';
import { counted, countText } from './words.js';

const pageLength = 50;
const typingMilliseconds = 200;

/**
 * What is asked for, and how it is shown.
 * @template Item
 * @typedef {object} FoundListOptions
 * @property {string} path of the API: it knows `search`, `offset` and `limit`, and answers `total` and `found`
 * @property {string} name of the items in the answer
 * @property {readonly [one: string, more: string]} words for an item
 * @property {string} label of the field to look for them
 * @property {string} hint what to write there
 * @property {string} nothing what is said where there is none
 * @property {HTMLElement} list what is hidden while nothing is shown
 * @property {HTMLElement} body where the rows go
 * @property {(item: Item) => string} keyOf
 * @property {() => import('./dom.js').Row<Item>} row
 */

function parts(/** @type {string} */ label, /** @type {string} */ hint) {
  const search = element('input', {
    type: 'search',
    placeholder: hint,
    'aria-label': label,
    maxlength: '200',
  });
  const before = element('button', { type: 'button' }, 'Previous');
  const after = element('button', { type: 'button' }, 'Next');
  return {
    search,
    found: element('p', { class: 'quiet', role: 'status' }),
    before,
    after,
    pages: element('div', { class: 'actions' }, before, after),
  };
}

/**
 * The list, and what makes it ask anew.
 * @template Item
 * @param {FoundListOptions<Item>} options
 */
export function foundList({ path, name, words, label, hint, nothing, list, body, keyOf, row }) {
  let offset = 0;
  let isAsking = false;
  let isAskedAgain = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  const { search, found, before, after, pages } = parts(label, hint);
  /** @type {Rows<Item>} */
  const rows = new Rows(body, keyOf, row);

  const load = async () => {
    if (isAsking) {
      isAskedAgain = true;
      return;
    }
    isAsking = true;
    const query = new URLSearchParams({
      search: search.value,
      offset: String(offset),
      limit: String(pageLength),
    });
    try {
      const answer = /** @type {Readonly<Record<string, unknown>>} */ (await ask('GET', `${path}?${query}`));
      show(Number(answer['total']), Number(answer['found']), /** @type {readonly Item[]} */ (answer[name]));
    } catch (error) {
      setText(found, sentence(inWords(error)));
    }
    isAsking = false;
    if (!isAskedAgain) return;
    isAskedAgain = false;
    void load();
  };

  /** @param {number} total @param {number} count @param {readonly Item[]} items */
  const show = (total, count, items) => {
    if (items.length === 0 && offset > 0) {
      offset = 0;
      void load();
      return;
    }
    rows.show(items);
    const text = total === 0 ? nothing : foundText({ total, count, offset, length: items.length });
    setText(found, text);
    list.hidden = items.length === 0;
    pages.hidden = count <= pageLength;
    before.disabled = offset === 0;
    after.disabled = offset + pageLength >= count;
  };

  /** @param {{ total: number, count: number, offset: number, length: number }} shown */
  const foundText = ({ total, count, offset: first, length }) => {
    const wanted = search.value.trim();
    const all = counted(total, ...words);
    if (count === 0) return `None of ${all} fits “${wanted}”.`;
    const which = wanted === '' ? all : `${countText(count)} of ${all}`;
    return count <= pageLength
      ? which
      : `${which}, ${countText(first + 1)} to ${countText(first + length)} shown`;
  };

  search.addEventListener('input', () => {
    offset = 0;
    clearTimeout(typing);
    typing = setTimeout(() => void load(), typingMilliseconds);
  });
  /** @param {number} by */
  const turn = (by) => {
    offset = Math.max(0, offset + by);
    void load();
  };
  before.addEventListener('click', () => turn(-pageLength));
  after.addEventListener('click', () => turn(pageLength));
  return { node: element('div', {}, search, found, list, pages), load: () => void load() };
}
