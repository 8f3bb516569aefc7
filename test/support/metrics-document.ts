import { metricRows } from '../../src/core/metrics.ts';

/** METRICS.md, as the table of metrics has it. */
export function metricsDocument(): string {
  const rows = Object.entries(metricRows).map(([name, { type, labels, help }]) => {
    const labelled = labels.length === 0 ? '' : `{${labels.join(',')}}`;
    return `| \`${name}${labelled}\` | ${type} | ${help.replaceAll('|', '\\|')} |`;
  });
  return `${[
    '# Metrics',
    '',
    'What `/metrics` of the admin API has, for Prometheus. Written by `npm run docs` from `src/core/metrics.ts`.',
    'Counters begin at 0 with each run, for every value of their labels that is known beforehand; a gauge that nothing has set yet is missing.',
    '',
    '| metric | type | says |',
    '|---|---|---|',
    ...rows,
  ].join('\n')}\n`;
}
