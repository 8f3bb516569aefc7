/* The alerts, and what can be done about one. */
import { ask, inWords } from './api.js';
import { badge, element, Rows, setAttribute, setBadge, setText } from './dom.js';
import { sentence } from './troubles.js';
import { agoText, momentText, severityText } from './words.js';

/** @typedef {import('../../anomaly/alerts/verdict.ts').AlertJson} AlertJson */

/** @type {readonly (readonly [string, number])[]} */
const shelvings = [
  ['1 hour', 3_600_000],
  ['8 hours', 8 * 3_600_000],
  ['1 day', 24 * 3_600_000],
  ['7 days', 7 * 24 * 3_600_000],
];

/** @param {AlertJson} alert */
function stateText({ state, shelvedUntilMs, acknowledgedMs }) {
  if (shelvedUntilMs !== null) return 'shelved';
  if (state === 'pending') return 'pending';
  if (state === 'clearing') return 'clearing';
  return acknowledgedMs === null ? 'open' : 'acknowledged';
}

/** @param {AlertJson} alert */
function toneOf({ severity, state, shelvedUntilMs, acknowledgedMs }) {
  if (shelvedUntilMs !== null || state === 'pending' || acknowledgedMs !== null) return 'idle';
  return severity >= 600 ? 'bad' : 'warn';
}

/** @param {AlertJson} alert @param {number} nowMs */
function timesText({ startedMs, acknowledgedMs, acknowledgedBy, shelvedUntilMs }, nowMs) {
  return [
    `since ${momentText(startedMs, nowMs)} (${agoText(startedMs, nowMs)})`,
    ...(acknowledgedMs === null
      ? []
      : [`acknowledged by ${acknowledgedBy ?? 'somebody'} ${agoText(acknowledgedMs, nowMs)}`]),
    ...(shelvedUntilMs === null ? [] : [`shelved until ${momentText(shelvedUntilMs, nowMs)}`]),
  ].join(' · ');
}

/** @param {() => number} nowMs @param {(name: string, partition: number | null) => void} onPlot @returns {import('./dom.js').Row<AlertJson>} */
function alertRow(nowMs, onPlot) {
  /** @type {AlertJson | null} */
  let shown = null;
  const state = badge();
  const kind = element('strong');
  const series = element('button', { type: 'button', class: 'link' });
  const message = element('p', { class: 'message' });
  const times = element('p', { class: 'quiet' });
  const problem = element('p', { class: 'problem', role: 'alert' });
  const acknowledge = element('button', { type: 'button' }, 'Acknowledge');
  const span = element(
    'select',
    { 'aria-label': 'For how long to shelve it' },
    ...shelvings.map(([text, ms]) => element('option', { value: String(ms) }, text)),
  );
  const shelve = element('button', { type: 'button' }, 'Shelve for');
  const unshelve = element('button', { type: 'button' }, 'Take off the shelf');

  /** @param {string} action @param {object} [body] */
  const send = async (action, body) => {
    if (shown === null) return;
    setText(problem, '');
    try {
      await ask('POST', `/api/alerts/${shown.id}/${action}`, body);
    } catch (error) {
      setText(problem, sentence(inWords(error)));
    }
  };
  acknowledge.addEventListener('click', () => void send('ack', { by: 'the page' }));
  shelve.addEventListener('click', () => void send('shelve', { forMs: Number(span.value) }));
  unshelve.addEventListener('click', () => void send('unshelve'));
  series.addEventListener('click', () => {
    if (shown !== null) onPlot(shown.series, shown.partition);
  });
  const node = element(
    'li',
    { class: 'alert' },
    element('div', { class: 'line' }, state, kind, series),
    message,
    times,
    element(
      'div',
      { class: 'actions' },
      acknowledge,
      element('span', { class: 'pair' }, shelve, span),
      unshelve,
    ),
    problem,
  );
  return {
    node,
    update(alert) {
      shown = alert;
      const isOpen = alert.state === 'active' || alert.state === 'clearing';
      const isShelved = alert.shelvedUntilMs !== null;
      setBadge(state, toneOf(alert), `${severityText(alert.severity)}, ${stateText(alert)}`);
      setText(kind, alert.kind);
      setText(series, alert.series);
      series.disabled = alert.partition === null;
      setText(message, alert.message);
      setText(times, timesText(alert, nowMs()));
      setAttribute(acknowledge, 'hidden', !isOpen || alert.acknowledgedMs !== null);
      setAttribute(/** @type {HTMLElement} */ (shelve.parentElement), 'hidden', !isOpen || isShelved);
      setAttribute(unshelve, 'hidden', !isShelved);
    },
  };
}

/** @param {() => number} nowMs @param {(name: string, partition: number | null) => void} onPlot */
export function alertList(nowMs, onPlot) {
  const list = element('ul', { class: 'alerts', 'aria-label': 'Alerts' });
  /** @type {Rows<AlertJson>} */
  const rows = new Rows(
    list,
    ({ id }) => id,
    () => alertRow(nowMs, onPlot),
  );
  const none = element('p', { class: 'quiet' });
  return {
    node: element('div', {}, none, list),
    /** @param {readonly AlertJson[] | null} alerts @param {number} heldBack */
    update(alerts, heldBack) {
      rows.show(alerts ?? []);
      const held =
        heldBack === 0 ? '' : `${heldBack} more findings are only counted, because so many alerts are open.`;
      const off = 'Anomaly detection is switched off (anomaly.enabled): no series are looked at.';
      setText(none, alerts === null ? off : held);
      setAttribute(none, 'hidden', none.textContent === '');
    },
  };
}
