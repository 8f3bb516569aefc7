/* What left for the cluster, and what waits. */
import { badge, card, element, Rows, setBadge, setText } from './dom.js';
import { linkView } from './link.js';
import { factList } from './stored.js';
import { bytesText, countText, durationText } from './words.js';

/** @typedef {import('../admin/page-frame.ts').PageFrame} PageFrame */
/** @typedef {import('../../forwarder/progress/status.ts').TopicLag} TopicLag */

/** @returns {import('./dom.js').Row<TopicLag>} */
function lagRow() {
  const name = element('th', { scope: 'row' });
  const records = element('td', { class: 'number' });
  const bytes = element('td', { class: 'number' });
  const age = element('td', { class: 'number' });
  return {
    node: element('tr', {}, name, records, bytes, age),
    update({ topic, lagRecords, lagBytes, lagSeconds }) {
      setText(name, topic);
      setText(records, countText(lagRecords));
      setText(bytes, bytesText(lagBytes));
      setText(age, durationText(lagSeconds));
    },
  };
}

/** The card, and how it follows frames. */
export function left() {
  const state = badge();
  const headline = element('p', { class: 'message' });
  const facts = factList();
  const body = element('tbody');
  const table = element(
    'table',
    {},
    element('caption', {}, 'What waits, by topic'),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('th', { scope: 'col' }, 'Topic'),
        element('th', { scope: 'col', class: 'number' }, 'Records'),
        element('th', { scope: 'col', class: 'number' }, 'About'),
        element('th', { scope: 'col', class: 'number' }, 'Oldest'),
      ),
    ),
    body,
  );
  /** @type {Rows<TopicLag>} */
  const lags = new Rows(body, ({ topic }) => topic, lagRow);
  return {
    node: card('What left', 'left', element('div', { class: 'line' }, state), headline, facts.node, table),
    /** @param {PageFrame} frame */
    update({ status: { forwarder } }) {
      const view = linkView(forwarder);
      setBadge(state, view.tone, view.state);
      setText(headline, view.headline);
      facts.update(view.facts);
      const waiting = (forwarder?.topics ?? []).filter(({ lagRecords }) => lagRecords > 0);
      lags.show(waiting);
      table.hidden = waiting.length === 0;
    },
  };
}
