/* The series: last value, age and recent course of each; looked for, and in pages where there are many. */
import { badge, card, element, setAttribute, setBadge, setText } from './dom.js';
import { foundList } from './found-list.js';
import { sparkline } from './sparkline.js';
import { agoText, counted, severityText, valueText } from './words.js';

/** @typedef {import('../admin/series-list.ts').SeriesJson} SeriesJson */

/** @param {() => number} nowMs @param {(name: string, partition: number) => void} onPlot @returns {import('./dom.js').Row<SeriesJson>} */
function seriesRow(nowMs, onPlot) {
  /** @type {SeriesJson | null} */
  let shown = null;
  const device = element('span', { class: 'device' });
  const path = element('span', { class: 'path' });
  const button = element('button', { type: 'button', class: 'link name' }, device, path);
  const line = sparkline();
  const alert = badge();
  const value = element('td', { class: 'number value' });
  const age = element('td', { class: 'number quiet' });
  button.addEventListener('click', () => {
    if (shown !== null) onPlot(shown.name, shown.partition);
  });
  return {
    node: element(
      'tr',
      {},
      element('th', { scope: 'row' }, button, alert),
      element('td', { class: 'course' }, line.node),
      value,
      age,
    ),
    update(series) {
      shown = series;
      setText(device, series.key === '' ? series.topic : series.key);
      setText(
        path,
        [series.path, series.topic]
          .filter((part, index) => part !== '' && (index === 0 || series.key !== ''))
          .join(' · '),
      );
      setAttribute(button, 'title', series.name);
      setText(value, series.readings === 0 ? '–' : valueText(series.value, series.unit));
      setText(age, series.timeMs === 0 ? '' : agoText(series.timeMs, nowMs()));
      line.draw(series.recent);
      setAttribute(alert, 'hidden', series.alerts === 0);
      if (series.severity !== null)
        setBadge(
          alert,
          series.severity >= 600 ? 'bad' : 'warn',
          `${counted(series.alerts, 'alert')}, ${severityText(series.severity)}`,
        );
    },
  };
}

const table = () =>
  element(
    'table',
    { class: 'series' },
    element('caption', { class: 'hidden' }, 'Series with their last values'),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('th', { scope: 'col' }, 'Series'),
        element('th', { scope: 'col', class: 'course' }, 'Lately'),
        element('th', { scope: 'col', class: 'number' }, 'Last value'),
        element('th', { scope: 'col', class: 'number' }, 'Heard'),
      ),
    ),
  );

/** The card; it asks for what it shows by itself, each time it is told to. @param {(name: string, partition: number) => void} onPlot */
export function seriesCard(onPlot) {
  let nowMs = 0;
  const list = table();
  const body = element('tbody');
  list.append(body);
  /** @type {ReturnType<typeof foundList<SeriesJson>>} */
  const found = foundList({
    path: '/api/series',
    name: 'series',
    words: ['series', 'series'],
    label: 'Look for series',
    hint: 'Part of a name',
    nothing: 'No series yet: numbers in what devices send become series by themselves.',
    list,
    body,
    keyOf: ({ name, partition }) => `${partition}/${name}`,
    row: () => seriesRow(() => nowMs, onPlot),
  });
  const off = element(
    'p',
    { class: 'quiet' },
    'Series are known to anomaly detection only, and that is switched off (anomaly.enabled). Topics show what is stored.',
  );
  return {
    node: card('Series', 'series', off, found.node),
    /** @param {number} now @param {boolean} isDetecting */
    update(now, isDetecting) {
      nowMs = now;
      off.hidden = isDetecting;
      found.node.hidden = !isDetecting;
      if (isDetecting) found.load();
    },
  };
}
