import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { type MetricRow, metricRows } from '../src/core/metrics.ts';
import { metricsDocument } from './support/metrics-document.ts';

const read = (name: string): Promise<string> => readFile(new URL(`../${name}`, import.meta.url), 'utf8');

const rows: ReadonlyMap<string, MetricRow> = new Map(Object.entries(metricRows));

/** Labels that Prometheus gives to all that it scrapes. */
const scraped = ['instance', 'job'];

/** What an expression asks for that no row has. */
function unknownIn(expression: string): string[] {
  return [...expression.matchAll(/\b(headwater_\w+)(?:\{([^}]*)\})?/g)].flatMap(
    ([, name = '', matchers = '']) => {
      const plain = name.replace(/_(?:bucket|sum|count)$/, '');
      const row = rows.get(name) ?? (rows.get(plain)?.type === 'histogram' ? rows.get(plain) : undefined);
      if (row === undefined) return [name];
      return [...matchers.matchAll(/(\w+)\s*[=!]/g)]
        .map(([, label = '']) => label)
        .filter((label) => !scraped.includes(label) && !row.labels.includes(label))
        .map((label) => `${name}{${label}}`);
    },
  );
}

/** Labels by which an expression groups, or which a text shows, that none of its metrics has. */
function unknownLabels(expression: string, labels: readonly string[]): string[] {
  const named = [...expression.matchAll(/\b(headwater_\w+)/g)].flatMap(([, name = '']) => {
    const row = rows.get(name) ?? rows.get(name.replace(/_bucket$/, ''));
    return row?.labels ?? [];
  });
  return labels.filter((label) => ![...named, ...scraped, 'le'].includes(label));
}

const grouped = (expression: string): string[] =>
  [...expression.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));

const rulesShape = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
          annotations: z.strictObject({ summary: z.string(), action: z.string() }),
        }),
      ),
    }),
  ),
});

const source = z.strictObject({ type: z.literal('prometheus'), uid: z.literal(`\${datasource}`) });

const dashboardShape = z.object({
  title: z.string().min(1),
  uid: z.string().min(1),
  schemaVersion: z.number().int(),
  templating: z.object({
    list: z.array(z.object({ name: z.string(), type: z.string(), query: z.string() })),
  }),
  panels: z.array(
    z.object({
      id: z.number().int().positive(),
      type: z.literal('timeseries'),
      title: z.string().min(1),
      datasource: source,
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z
        .array(
          z.object({ refId: z.string(), datasource: source, expr: z.string(), legendFormat: z.string() }),
        )
        .min(1),
    }),
  ),
});

test('METRICS.md is what npm run docs writes', async () => {
  expect(await read('METRICS.md')).toBe(metricsDocument());
});

test('alert rules ask only for metrics and labels that there are, and each is tested', async () => {
  const { groups } = rulesShape.parse(parse(await read('deploy/prometheus/alerts.yaml')));
  const rules = groups.flatMap((group) => group.rules);
  for (const { alert, expr, annotations } of rules) {
    const shown = [...annotations.summary.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
    expect(unknownIn(expr), alert).toEqual([]);
    expect(unknownLabels(expr, [...grouped(expr), ...shown]), alert).toEqual([]);
  }
  const tests = (await read('deploy/prometheus/alerts.test.yaml')).matchAll(
    /alertname: (\w+)\n {8}exp_alerts:( \[\])?/g,
  );
  const tested = [...tests].map(
    ([, name = '', silent]) => `${name} ${silent === undefined ? 'speaks' : 'is silent'}`,
  );
  expect([...new Set(tested)].sort()).toEqual(
    rules.flatMap(({ alert }) => [`${alert} is silent`, `${alert} speaks`]).sort(),
  );
});

test('the dashboard can be imported, and asks only for metrics and labels that there are', async () => {
  const { panels, templating } = dashboardShape.parse(
    JSON.parse(await read('deploy/grafana/headwater.json')),
  );
  expect(templating.list).toContainEqual(expect.objectContaining({ name: 'datasource', type: 'datasource' }));
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const { query } of templating.list) expect(unknownIn(query)).toEqual([]);
  for (const { expr, legendFormat } of panels.flatMap(({ targets }) => targets)) {
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    expect(unknownIn(expr)).toEqual([]);
    expect(unknownLabels(expr, [...grouped(expr), ...shown])).toEqual([]);
  }
});

test('a metric or a label that there is not is found', () => {
  expect(
    unknownIn('rate(headwater_gone_total[5m]) + headwater_alerts_open{color="red", instance="a"}'),
  ).toEqual(['headwater_gone_total', 'headwater_alerts_open{color}']);
  expect(unknownIn('headwater_commits_total_bucket')).toEqual(['headwater_commits_total_bucket']);
  expect(unknownLabels('sum by (reason) (headwater_users)', grouped('sum by (reason) (x)'))).toEqual([
    'reason',
  ]);
});
