/* The newest records of a topic in which the gateway says what went wrong: dead letters with their bytes, gaps with their reasons. */
import { ask, inWords } from './api.js';
import { element, setAttribute, setText } from './dom.js';
import { bytesText, counted, momentText } from './words.js';

/** @typedef {import('../admin/newest-records.ts').NewestRecord} NewestRecord */
/** @typedef {import('../admin/page-frame.ts').PageFrame} PageFrame */

/** Bytes of base64. @param {string} base64 */
const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/** As a hex dump with its text beside it; shorter lines where there is little room. @param {Uint8Array} bytes */
export function hexDump(bytes) {
  const length = matchMedia('(max-width: 36rem)').matches ? 8 : 16;
  const lines = [];
  for (let at = 0; at < bytes.length; at += length) {
    const line = [...bytes.subarray(at, at + length)];
    const hex = line.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ');
    const text = line.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(3 * length - 1)}  ${text}`);
  }
  return lines.join('\n');
}

/** @param {NewestRecord} record @param {string} name */
const headerOf = ({ headers }, name) => headers.find((header) => header.name === name)?.value ?? null;

/** @param {NewestRecord} record @param {number} nowMs */
export function deadLetter(record, nowMs) {
  const { valueBase64, valueLength, timestampMs } = record;
  const bytes = bytesOf(valueBase64 ?? '');
  const more = bytes.length < valueLength ? `, the first ${bytes.length} are shown` : '';
  return element(
    'li',
    {},
    element(
      'p',
      {},
      element('strong', {}, headerOf(record, 'reason') ?? 'no reason given'),
      ` from ${headerOf(record, 'source') ?? record.key ?? 'nobody knows'} `,
      element(
        'span',
        { class: 'quiet' },
        `${momentText(timestampMs, nowMs)} · ${bytesText(valueLength)}${more}`,
      ),
    ),
    element('pre', { tabindex: '0', 'aria-label': 'Its bytes' }, hexDump(bytes)),
  );
}

const gapReasons = /** @type {Readonly<Record<string, string>>} */ ({
  retention: 'removed by retention before they were sent',
  'disk-budget': 'removed because the disk budget was used up',
  damage: 'lost, because the medium was damaged',
  refused: 'refused by the cluster; they are kept here for now',
  'possible-duplicate': 'may have arrived twice',
});

/** @param {NewestRecord} record @param {number} nowMs */
export function gap(record, nowMs) {
  const { topic, partition, firstOffset, lastOffset, reason, cause } = ledgerRow(record);
  return element(
    'li',
    {},
    element(
      'p',
      {},
      element('strong', {}, `${topic}-${partition}`),
      ` offsets ${firstOffset} to ${lastOffset} (${counted(lastOffset - firstOffset + 1, 'record')}): `,
      `${gapReasons[reason] ?? reason}${typeof cause === 'string' ? ` (${cause})` : ''} `,
      element('span', { class: 'quiet' }, momentText(record.timestampMs, nowMs)),
    ),
  );
}

/** @param {NewestRecord} record */
function ledgerRow({ valueBase64, valueLength }) {
  const bytes = bytesOf(valueBase64 ?? '');
  return bytes.length < valueLength ? {} : JSON.parse(new TextDecoder().decode(bytes));
}

/**
 * A list that is asked for when somebody opens it, and again when there are more records.
 * @param {object} options
 * @param {string} options.topic
 * @param {string} options.title
 * @param {(record: NewestRecord, nowMs: number) => HTMLElement} options.show
 */
export function letters({ topic, title, show }) {
  const summary = element('summary');
  const list = element('ul', { class: 'letters' });
  const problem = element('p', { class: 'problem' });
  const node = element('details', { class: 'letters', hidden: true }, summary, problem, list);
  let shownEnd = -1;
  let end = 0;
  let nowMs = 0;

  const load = async () => {
    if (!node.open || shownEnd === end) return;
    shownEnd = end;
    try {
      const { records } = /** @type {{ records: readonly NewestRecord[] }} */ (
        await ask('GET', `/api/topics/${topic}/newest`)
      );
      list.replaceChildren(...records.map((record) => show(record, nowMs)));
      setText(problem, '');
    } catch (error) {
      shownEnd = -1;
      setText(problem, inWords(error));
    }
  };
  node.addEventListener('toggle', () => void load());
  return {
    node,
    /** @param {PageFrame} frame */
    update(frame) {
      nowMs = frame.nowMs;
      const partitions = frame.status.topics.find(({ name }) => name === topic)?.partitions ?? [];
      const kept = partitions.reduce((sum, one) => sum + one.highWatermark - one.logStartOffset, 0);
      end = partitions.reduce((sum, { highWatermark }) => sum + highWatermark, 0);
      setAttribute(node, 'hidden', kept === 0);
      setText(summary, `${title}: ${kept}`);
      void load();
    },
  };
}
