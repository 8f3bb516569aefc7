/* What is stored: the budget, the card, and the topics. */
import { card, element, Rows, setAttribute, setText } from './dom.js';
import { fillText } from './glance.js';
import { bytesText, countText, durationText, rateText, rounded } from './words.js';

/** @typedef {import('../admin/page-frame.ts').PageFrame} PageFrame */
/** @typedef {{ readonly name: string, readonly records: number, readonly rate: number | null, readonly partitions: number }} Topic */

/** How many records a topic has had. @param {PageFrame['status']['topics'][number]} topic */
export const endOf = ({ partitions }) =>
  partitions.reduce((sum, { highWatermark }) => sum + highWatermark, 0);

/** @returns {import('./dom.js').Row<Topic>} */
function topicRow() {
  const name = element('th', { scope: 'row' });
  const records = element('td', { class: 'number' });
  const rate = element('td', { class: 'number' });
  const partitions = element('td', { class: 'number' });
  return {
    node: element('tr', {}, name, records, rate, partitions),
    update(topic) {
      setText(name, topic.name);
      setText(records, countText(topic.records));
      setText(rate, topic.rate === null ? '…' : `${rateText(topic.rate)}/s`);
      setText(partitions, countText(topic.partitions));
    },
  };
}

/** @param {PageFrame['status']['card']} worn @returns {readonly (readonly [string, string])[]} */
function cardFacts({
  deviceBytesPerPayloadByte,
  payloadBytes,
  endurance,
  usedShare,
  bytesPerDay,
  yearsLeft,
  device,
}) {
  const rated = endurance.isEstimate
    ? `${bytesText(endurance.bytes)}, what a consumer card of 32 GB may take (set data.endurance)`
    : `${bytesText(endurance.bytes)} (data.endurance)`;
  const left =
    bytesPerDay === null
      ? 'told after an hour'
      : yearsLeft === null
        ? 'nothing is written now'
        : `about ${durationText(yearsLeft * 365.25 * 86_400)} at ${bytesText(bytesPerDay)} a day`;
  const life = device?.life ?? null;
  return [
    ['Worn (estimate)', `${usedShare < 0.0001 ? 'less than 0.01' : rounded(100 * usedShare)} % of ${rated}`],
    ['Lasts', left],
    [
      'Written for each byte',
      deviceBytesPerPayloadByte === null
        ? 'too little payload yet to say'
        : `${rounded(deviceBytesPerPayloadByte)} bytes (${bytesText(payloadBytes)} of payload in all runs)`,
    ],
    .../** @type {[string, string][]} */ (
      life === null
        ? []
        : [
            [
              'By its own count',
              `${life.usedShareMax > 1 ? 'more than 100' : `at most ${Math.round(100 * life.usedShareMax)}`} % of its life used`,
            ],
          ]
    ),
  ];
}

/** A list of facts, each with its name, and how it follows. */
export function factList() {
  const node = element('dl', { class: 'facts' });
  /** @type {Rows<readonly [string, string]>} */
  const rows = new Rows(
    node,
    ([name]) => name,
    () => {
      const name = element('dt');
      const fact = element('dd');
      return {
        node: element('div', {}, name, fact),
        update([called, text]) {
          setText(name, called);
          setText(fact, text);
        },
      };
    },
  );
  return { node, update: rows.show.bind(rows) };
}

/** The card, and how it follows frames. */
export function stored() {
  const text = element('p', {});
  const meter = element('progress', { max: '1', 'aria-label': 'Disk budget used' });
  const facts = factList();
  const body = element('tbody');
  const table = element(
    'table',
    {},
    element('caption', {}, 'Topics'),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('th', { scope: 'col' }, 'Topic'),
        element('th', { scope: 'col', class: 'number' }, 'Records kept'),
        element('th', { scope: 'col', class: 'number' }, 'New'),
        element('th', { scope: 'col', class: 'number' }, 'Partitions'),
      ),
    ),
    body,
  );
  /** @type {Rows<Topic>} */
  const topics = new Rows(body, ({ name }) => name, topicRow);
  return {
    node: card('What is stored', 'stored', text, meter, facts.node, table),
    /** @param {PageFrame} frame @param {(topic: string) => number | null} rateOf */
    update({ status }, rateOf) {
      const { log, topics: all, card: worn } = status;
      const share = Math.min(1, log.usedBytes / log.budgetBytes);
      setAttribute(meter, 'value', share.toFixed(4));
      setText(
        text,
        `${bytesText(log.usedBytes)} of the ${bytesText(log.budgetBytes)} that the data may take; ${fillText(log)}. When it is reached, what the cluster has goes first.`,
      );
      facts.update(cardFacts(worn));
      table.hidden = all.length === 0;
      topics.show(
        all.map((topic) => ({
          name: topic.name,
          records: topic.partitions.reduce((sum, one) => sum + one.highWatermark - one.logStartOffset, 0),
          rate: rateOf(topic.name),
          partitions: topic.partitions.length,
        })),
      );
    },
  };
}
