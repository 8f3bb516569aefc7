/* The drawing itself, by uPlot, which is loaded only when somebody wants to see a plot. */

import { momentText, valueText } from './words.js';

/** @typedef {import('../admin/series-history.ts').SeriesHistory} SeriesHistory */
/** @typedef {import('uplot')} UPlot */

// From our own origin; the checker is told by the type above what it is.
const library = '/page/uplot.js';
const height = 260;

/** Colours as the style sheet has them, light or dark. @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The limits beyond which nothing of the range is drawn: where it is open, as far as the axis goes. @param {SeriesHistory} history @returns {[number, number]} */
function limitsOf({ points, range: { low, high } }) {
  const values = points.map(([, value]) => value);
  if (low !== null) values.push(low);
  if (high !== null) values.push(high);
  if (values.length === 0) return [0, 1];
  const least = values.reduce((one, other) => Math.min(one, other));
  const most = values.reduce((one, other) => Math.max(one, other));
  const margin = (most - least || Math.abs(most) || 1) * 0.08;
  return [least - margin, most + margin];
}

/** Seconds between two marks: never less than one, so that no time stands there twice. */
const timeSteps = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

/** Marks of the time axis: the day where one begins, else the time of day. @param {UPlot} _plot @param {readonly number[]} splits @param {number} _axis @param {number} _space @param {number} step */
function timeMarks(_plot, splits, _axis, _space, step) {
  return splits.map((seconds, index) => {
    const moment = new Date(seconds * 1000);
    const isMidnight = moment.getHours() + moment.getMinutes() + moment.getSeconds() === 0;
    if (step >= 86_400 || (isMidnight && index > 0)) return moment.toLocaleDateString('en-CA').slice(5);
    const time = moment.toLocaleTimeString('en-GB');
    return step < 60 ? time : time.slice(0, 5);
  });
}

/** Draws the expected range and the anomalies behind the line. @param {UPlot} plot @param {SeriesHistory} history @param {number} untilMs */
function drawBehind(plot, { range, anomalies }, untilMs) {
  const { ctx: context, bbox: box } = plot;
  /** @param {number} value */
  const y = (value) => Math.min(box.top + box.height, Math.max(box.top, plot.valToPos(value, 'y', true)));
  /** @param {number} ms */
  const x = (ms) => Math.min(box.left + box.width, Math.max(box.left, plot.valToPos(ms / 1000, 'x', true)));
  context.save();
  if (range.low !== null || range.high !== null) {
    const top = range.high === null ? box.top : y(range.high);
    const bottom = range.low === null ? box.top + box.height : y(range.low);
    context.fillStyle = colour('--range');
    context.fillRect(box.left, top, box.width, bottom - top);
  }
  for (const { startedMs, clearedMs, isOpen, severity } of anomalies) {
    const endMs = clearedMs ?? (isOpen ? untilMs : startedMs);
    const left = x(startedMs);
    context.fillStyle = colour(severity >= 600 ? '--bad-area' : '--warn-area');
    // The range is to be seen through it.
    context.globalAlpha = 0.6;
    context.fillRect(left, box.top, Math.max(3, x(endMs) - left), box.height);
    context.globalAlpha = 1;
    context.fillStyle = colour(severity >= 600 ? '--bad' : '--warn');
    context.fillRect(left, box.top, 2, box.height);
  }
  context.restore();
}

/** @typedef {{ readonly history: SeriesHistory, readonly fromMs: number, readonly untilMs: number }} Shown */

/** @param {Shown} shown @param {number} width @returns {import('uplot').Options} */
function optionsOf({ history, fromMs, untilMs }, width) {
  const [least, most] = limitsOf(history);
  // A series that is younger than what is asked for has the whole width.
  const firstMs = history.points[0]?.[0] ?? fromMs;
  const beginMs = Math.min(Math.max(fromMs, firstMs - 0.02 * (untilMs - firstMs)), untilMs - 1000);
  const axis = {
    stroke: colour('--quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
  };
  return {
    width: Math.max(200, width),
    height,
    cursor: { drag: { x: false, y: false } },
    scales: {
      x: { range: () => [beginMs / 1000, untilMs / 1000] },
      y: { range: () => [least, most] },
    },
    axes: [
      { ...axis, space: 80, incrs: timeSteps, values: timeMarks },
      { ...axis, size: 64 },
    ],
    series: [
      {
        label: 'Time',
        value: (_plot, seconds) => (seconds === null ? '–' : momentText(seconds * 1000, untilMs)),
      },
      {
        label: history.unit === null ? 'Value' : `Value, ${history.unit}`,
        value: (_plot, value) => (value === null || value === undefined ? '–' : valueText(value)),
        stroke: colour('--accent'),
        width: 1.5,
        points: { size: 4, show: history.points.length < 150 },
      },
    ],
    hooks: { drawClear: [(drawn) => drawBehind(drawn, history, untilMs)] },
  };
}

/** @param {HTMLElement} place */
export function drawnPlot(place) {
  /** @type {(new (...options: ConstructorParameters<typeof import('uplot')>) => UPlot) | null} */
  let PlotClass = null;
  /** @type {UPlot | null} */
  let plot = null;
  /** @type {Shown | null} */
  let shown = null;
  const draw = () => {
    plot?.destroy();
    plot = null;
    if (shown === null || PlotClass === null) return;
    const { points } = shown.history;
    const data = [points.map(([ms]) => ms / 1000), points.map(([, value]) => value)];
    plot = new PlotClass(
      optionsOf(shown, place.clientWidth),
      /** @type {import('uplot').AlignedData} */ (data),
      place,
    );
  };
  // A drawing does not follow the style sheet by itself.
  window.addEventListener('resize', draw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  return {
    clear() {
      shown = null;
      draw();
    },
    /** @param {SeriesHistory} history @param {number} fromMs @param {number} untilMs */
    async show(history, fromMs, untilMs) {
      shown = { history, fromMs, untilMs };
      PlotClass ??= (await import(library)).default;
      draw();
    },
  };
}
