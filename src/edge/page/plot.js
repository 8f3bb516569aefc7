/* A series over time, with its expected range and what was wrong with it. */
import { ask, inWords } from './api.js';
import { element, setAttribute, setText } from './dom.js';
import { drawnPlot } from './drawn-plot.js';
import { sentence } from './troubles.js';
import { counted, durationText, limitText, momentText } from './words.js';

/** @typedef {import('../admin/series-history.ts').SeriesHistory} SeriesHistory */

/** @type {readonly (readonly [string, number])[]} */
const spans = [
  ['5 minutes', 300],
  ['1 hour', 3600],
  ['1 day', 86_400],
  ['7 days', 7 * 86_400],
];
const againMilliseconds = 5_000;
/** A read of the log that takes long is repeated more seldom, by so many times what it took. */
const againShare = 40;

/** @param {SeriesHistory} history */
function rangeText({ range: { low, high }, unit }) {
  if (low === null && high === null) return 'No expected range is known yet.';
  const unitText = unit === null ? '' : ` ${unit}`;
  const ends =
    low === null
      ? `up to ${limitText(high)}`
      : high === null
        ? `from ${limitText(low)}`
        : `${limitText(low)} to ${limitText(high)}`;
  return `Expected range: ${ends}${unitText}. A value beyond is told as out of range; the limits are those of the configuration, or learned from what the series has shown, as of now.`;
}

/** @param {SeriesHistory} history @param {number} nowMs */
function pointsText({ readings, points, fromMs, isCut }, nowMs) {
  if (readings === 0) return 'No readings in this time.';
  const shown = points.length < readings ? `, the smallest and largest of each stretch are drawn` : '';
  const cut = isCut
    ? ` There is too much in its partition to look further back than ${momentText(fromMs, nowMs)}.`
    : '';
  return `${counted(readings, 'reading')}${shown}.${cut}`;
}

/** @param {SeriesHistory['anomalies'][number]} anomaly @param {number} nowMs */
function anomalyItem({ kind, startedMs, clearedMs, isOpen, message }, nowMs) {
  const over = clearedMs === null ? '' : `, over after ${durationText((clearedMs - startedMs) / 1000)}`;
  const when = `${momentText(startedMs, nowMs)}${isOpen ? ', still open' : over}`;
  return element('li', {}, element('strong', {}, kind), ` ${when}: ${message}`);
}

/** The dialog, and how it is opened and follows. @param {() => number} nowMs */
export function plotDialog(nowMs) {
  let series = { name: '', partition: /** @type {number | null} */ (null) };
  let nextMs = 0;
  let latest = 0;
  const title = element('h2', { id: 'plot-title', class: 'plot-title' });
  const close = element('button', { type: 'button' }, 'Close');
  const span = element(
    'select',
    { 'aria-label': 'How far back' },
    ...spans.map(([text, seconds]) =>
      element('option', { value: String(seconds), selected: seconds === 3600 }, text),
    ),
  );
  const place = element('div', { class: 'plot', role: 'img', 'aria-labelledby': 'plot-title plot-text' });
  const text = element('p', { id: 'plot-text' });
  const range = element('p', { class: 'quiet' });
  const anomalies = element('ul', { class: 'letters' });
  const node = element(
    'dialog',
    { class: 'card', 'aria-labelledby': 'plot-title' },
    element('div', { class: 'line' }, title, close, span),
    place,
    text,
    range,
    anomalies,
  );
  const drawn = drawnPlot(place);

  const load = async () => {
    latest += 1;
    const mine = latest;
    nextMs = Number.POSITIVE_INFINITY;
    const askedMs = performance.now();
    const query = new URLSearchParams({ name: series.name, seconds: span.value });
    if (series.partition !== null) query.set('partition', String(series.partition));
    try {
      const history = /** @type {SeriesHistory} */ (await ask('GET', `/api/series/history?${query}`));
      // Meanwhile somebody may want to see another one.
      if (mine === latest) await show(history);
    } catch (error) {
      if (mine === latest) setText(text, sentence(inWords(error)));
    }
    const tookMs = performance.now() - askedMs;
    if (mine === latest) nextMs = performance.now() + Math.max(againMilliseconds, againShare * tookMs);
  };

  /** @param {SeriesHistory} history */
  const show = async (history) => {
    const untilMs = nowMs();
    setText(text, pointsText(history, untilMs));
    setText(range, rangeText(history));
    anomalies.replaceChildren(
      ...history.anomalies.toReversed().map((anomaly) => anomalyItem(anomaly, untilMs)),
    );
    setAttribute(anomalies, 'hidden', history.anomalies.length === 0);
    await drawn.show(history, untilMs - Number(span.value) * 1000, untilMs);
  };

  span.addEventListener('change', () => void load());
  close.addEventListener('click', () => node.close());
  return {
    node,
    /** @param {string} name @param {number | null} partition */
    open(name, partition) {
      series = { name, partition };
      setText(title, name);
      setText(text, 'Reading the log …');
      setText(range, '');
      anomalies.replaceChildren();
      drawn.clear();
      node.showModal();
      void load();
    },
    /** Asks again now and then while it is open. */
    update() {
      if (node.open && performance.now() >= nextMs) void load();
    },
  };
}
