/* The series: last value, age and recent course of each; looked for, and in pages where there are many. */
import { ask, inWords } from './api.js';
import { badge, card, element, Rows, setAttribute, setBadge, setText } from './dom.js';
import { sparkline } from './sparkline.js';
import { sentence } from './troubles.js';
import { agoText, counted, countText, severityText, valueText } from './words.js';

/** @typedef {import('../admin/series-list.ts').SeriesPage} SeriesPage */
/** @typedef {import('../admin/series-list.ts').SeriesJson} SeriesJson */

const pageLength = 50;
const typingMilliseconds = 200;

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

/** What the card is made of. */
function seriesParts() {
  const search = element('input', {
    type: 'search',
    placeholder: 'Part of a name',
    'aria-label': 'Look for series',
    maxlength: '200',
  });
  const found = element('p', { class: 'quiet', role: 'status' });
  const body = element('tbody');
  const list = table();
  list.append(body);
  const before = element('button', { type: 'button' }, 'Previous');
  const after = element('button', { type: 'button' }, 'Next');
  return {
    search,
    found,
    body,
    list,
    before,
    after,
    pages: element('div', { class: 'actions' }, before, after),
  };
}

/** The card; it asks for what it shows by itself, each time it is told to. @param {(name: string, partition: number) => void} onPlot */
export function seriesCard(onPlot) {
  let nowMs = 0;
  let offset = 0;
  let isAsking = false;
  let isAskedAgain = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  const { search, found, body, list, before, after, pages } = seriesParts();
  /** @type {Rows<SeriesJson>} */
  const rows = new Rows(
    body,
    ({ name, partition }) => `${partition}/${name}`,
    () => seriesRow(() => nowMs, onPlot),
  );

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
      show(/** @type {SeriesPage} */ (await ask('GET', `/api/series?${query}`)));
    } catch (error) {
      setText(found, sentence(inWords(error)));
    }
    isAsking = false;
    if (!isAskedAgain) return;
    isAskedAgain = false;
    void load();
  };

  /** @param {SeriesPage} page */
  const show = ({ total, found: count, series }) => {
    if (series.length === 0 && offset > 0) {
      offset = 0;
      void load();
      return;
    }
    rows.show(series);
    setText(found, foundText(total, count, offset, series.length, search.value.trim()));
    list.hidden = series.length === 0;
    pages.hidden = count <= pageLength;
    before.disabled = offset === 0;
    after.disabled = offset + pageLength >= count;
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
  const off = element(
    'p',
    { class: 'quiet' },
    'Series are known to anomaly detection only, and that is switched off (anomaly.enabled). Topics show what is stored.',
  );
  const shown = element('div', {}, search, found, list, pages);
  return {
    node: card('Series', 'series', off, shown),
    /** @param {number} now @param {boolean} isDetecting */
    update(now, isDetecting) {
      nowMs = now;
      off.hidden = isDetecting;
      shown.hidden = !isDetecting;
      if (isDetecting) void load();
    },
  };
}

/** @param {number} total @param {number} count @param {number} offset @param {number} length @param {string} wanted */
function foundText(total, count, offset, length, wanted) {
  if (total === 0) return 'No series yet: numbers in what devices send become series by themselves.';
  if (count === 0) return `None of ${counted(total, 'series', 'series')} has “${wanted}” in its name.`;
  const which =
    wanted === '' ? counted(total, 'series', 'series') : `${countText(count)} of ${countText(total)} series`;
  return count <= pageLength
    ? which
    : `${which}, ${countText(offset + 1)} to ${countText(offset + length)} shown`;
}
