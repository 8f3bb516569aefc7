import { bytesText } from '../src/edge/cli/amounts.ts';
import type { AlertEvent } from './anomaly-feed.ts';
import { braillePlot, columnOf, type PlotArea } from './braille-plot.ts';
import type { DatedReading } from './recording.ts';
import { countText, type Line, momentText } from './styled-text.ts';
import type { View } from './view.ts';

/** The series that is plotted. */
export const plottedSeries = 'plant:machine:temperature';

/** Below this a terminal gets lines of text instead. */
export const screenMin = { columns: 48, rows: 20 } as const;

const plotRowsMin = 6;
const plotRowsMax = 12;
/** Between the axis of the values and the edge. */
const axisColumns = 6;
const plotColumnsMax = 120;
/** Its title, two rows of marks, the dates and an empty row. */
const rowsAroundPlot = 5;
const alertRowsWanted = 4;

/** The whole picture, in lines of at most so many. */
export function screen(view: View, columns: number, rows: number): readonly Line[] {
  const top = [...heading(view), [], ...numberRows(view), []];
  const left = rows - top.length - rowsAroundPlot;
  const plotRows = Math.min(plotRowsMax, Math.max(plotRowsMin, left - alertRowsWanted));
  const alertRows = Math.max(1, left - plotRows);
  return [...top, ...plotLines(view, columns, plotRows), [], ...alertLines(view, alertRows)].slice(0, rows);
}

/** What this is, and what of it is real. */
export function heading({ mqtt, dataDir }: View): readonly Line[] {
  return [
    [{ text: 'Headwater', style: 'bold' }, `  mqtt://${mqtt}, data in ${dataDir}`],
    [
      {
        text: 'recorded: one machine. made up, with a fault in each: 3 sensors, 1 serial port',
        style: 'dim',
      },
    ],
  ];
}

function numberRows({
  messagesPerSecond,
  linesPerSecond,
  stored,
  raised,
  recording,
  replayed,
}: View): Line[] {
  const { readings, commits, payloadBytes, waiting, series } = stored;
  const amount = (text: string) => ({ text, style: 'bold' }) as const;
  const at = recording[Math.max(0, replayed - 1)]?.timeMs ?? 0;
  return [
    [
      'arrives  ',
      amount(countText(messagesPerSecond)),
      ' MQTT messages/s at QoS 1, ',
      amount(countText(linesPerSecond)),
      ' lines/s from a simulated serial port',
    ],
    [
      'stored   ',
      amount(countText(readings)),
      ' readings in ',
      amount(countText(commits)),
      ' synced commits, ',
      `${bytesText(payloadBytes)}`,
    ],
    [
      'judged   ',
      amount(countText(readings - waiting)),
      ` readings of ${series} series; `,
      amount(countText(raised.length)),
      ' alerts raised',
    ],
    ['replayed ', amount(momentText(at)), ' ', ...bar(replayed / recording.length)],
  ];
}

const barColumns = 24;

function bar(share: number): Line {
  const full = Math.floor(share * barColumns);
  return [
    { text: '━'.repeat(full), style: 'cyan' },
    { text: '─'.repeat(barColumns - full), style: 'dim' },
    ` ${Math.floor(100 * share)} %`,
  ];
}

/** The recorded series as far as it was replayed, with the alerts about it, and what people have labelled. */
export function plotLines(view: View, screenColumns: number, rows: number): readonly Line[] {
  const { recording, replayed, raised, labelled } = view;
  const columns = Math.min(screenColumns - axisColumns - 1, plotColumnsMax);
  const area = areaOf(recording, columns, rows);
  const alerts = raised.filter(({ series }) => series === plottedSeries);
  const shown = braillePlot(recording.slice(0, replayed), area);
  const axis = (text: string): string => `${text.padStart(axisColumns - 2)} `;
  return [
    [
      'machine temperature, recorded  ',
      { text: '▲ alert raised', style: 'red' },
      '  ',
      { text: '▼ labelled by people afterwards', style: 'yellow' },
    ],
    [
      axis(''),
      ' ',
      ...markers(
        labelled.map(({ timeMs }) => timeMs),
        area,
        { text: '▼', style: 'yellow' },
      ),
    ],
    ...shown.map((text, row): Line => {
      const label = row === 0 ? `${area.high}` : row === rows - 1 ? `${area.low}` : '';
      return [
        { text: `${axis(label)}│`, style: 'dim' },
        { text, style: 'cyan' },
      ];
    }),
    [
      axis(''),
      ' ',
      ...markers(
        alerts.map(({ timeMs }) => timeMs),
        area,
        { text: '▲', style: 'red' },
      ),
    ],
    [{ text: `${axis('')} ${dates(area)}`, style: 'dim' }],
  ];
}

function areaOf(recording: readonly DatedReading[], columns: number, rows: number): PlotArea {
  const values = recording.map(({ value }) => value);
  const step = 10;
  return {
    fromMs: recording[0]?.timeMs ?? 0,
    toMs: recording.at(-1)?.timeMs ?? 1,
    low: Math.floor(Math.min(...values) / step) * step,
    high: Math.ceil(Math.max(...values) / step) * step,
    columns,
    rows,
  };
}

function markers(momentsMs: readonly number[], area: PlotArea, mark: Exclude<Line[number], string>): Line {
  const columns = new Set(momentsMs.map((timeMs) => columnOf(timeMs, area)));
  const text = Array.from({ length: area.columns }, (_, column) =>
    columns.has(column) ? mark.text : ' ',
  ).join('');
  return [{ ...mark, text: text.trimEnd() }];
}

const day = 24 * 3600 * 1000;
const dateColumns = 8;

/** The days below the plot, as many as fit. */
function dates(area: PlotArea): string {
  const { fromMs, toMs, columns } = area;
  const daysApart = [7, 14, 28].find((days) => (columns * days * day) / (toMs - fromMs) >= dateColumns) ?? 56;
  let text = '';
  for (let timeMs = Math.ceil(fromMs / day) * day; timeMs < toMs; timeMs += daysApart * day) {
    const column = columnOf(timeMs, area);
    const label = new Date(timeMs).toUTCString().slice(5, 11);
    if (column + label.length <= columns) text = `${text.padEnd(column)}${label}`;
  }
  return text;
}

/** The newest alerts, the newest one first. */
function alertLines({ raised }: View, rows: number): readonly Line[] {
  const newest = raised.slice(-rows).reverse();
  return newest.length === 0 ? [[{ text: 'no alerts yet', style: 'dim' }]] : newest.map(alertLine);
}

/** When and what, in a line. */
export const alertLine = ({ timeMs, message }: AlertEvent): Line => [
  { text: momentText(timeMs), style: 'red' },
  `  ${message}`,
];
