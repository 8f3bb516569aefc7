import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { type MetricRow, metricRows } from '../../src/core/metrics.ts';
import { startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const read = (name: string): Promise<string> =>
  readFile(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');

/** Expressions of all alert rules, and of all panels of the dashboard. */
async function expressions(): Promise<string[]> {
  const { groups } = parse(await read('prometheus/alerts.yaml')) as {
    groups: { rules: { expr: string }[] }[];
  };
  const { panels } = JSON.parse(await read('grafana/headwater.json')) as {
    panels: { targets: { expr: string }[] }[];
  };
  return [...groups.flatMap(({ rules }) => rules), ...panels.flatMap(({ targets }) => targets)].map(
    ({ expr }) => expr,
  );
}

/** Only an eMMC says it. */
const ofSomeDevices = ['headwater_storage_device_life_used_ratio'];

/** Their labels have values that nobody knows beforehand. */
const ofOpenLabels = ['headwater_forwarder_retries_total', 'headwater_modbus_register_failures_total'];

/** One of every kind of source, none of which is there. */
const set = [
  'forwarder.brokers=[127.0.0.1:1]',
  'mqtt.tls.listen=127.0.0.1:0',
  "mqtt.sources=[{ name: plant, url: 'mqtt://127.0.0.1:1', topics: ['a/#'] }]",
  'serial=[{ name: wind, path: /dev/headwater-none, baud: 9600 }]',
  'modbus=[{ name: roof, tcp: 127.0.0.1:1, units: [{ name: air, unit: 1, map: xy-md02 }] }]',
];

test('a gateway that has done nothing yet has a sample of all that rules and dashboard ask for, and its counters are at 0', async () => {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({ dataDir: join(folder.path, 'data'), set });
  const metrics = await (await gateway.api('/metrics')).text();
  const shown = new Set([...metrics.matchAll(/^(headwater_\w+)/gm)].map(([, name = '']) => name));
  const asked = (await expressions()).flatMap((expr) =>
    [...expr.matchAll(/\bheadwater_\w+/g)].map(([name]) => name),
  );
  expect(asked).toContain('headwater_records_lost_total');
  const silent = [...new Set(asked)].filter((name) => !shown.has(name));
  expect(silent.filter((name) => !ofSomeDevices.includes(name))).toEqual([]);
  const counters = Object.entries<MetricRow>(metricRows).filter(([, { type }]) => type === 'counter');
  // The device under the folder may be none that can be read.
  const missing = counters
    .map(([name]) => name)
    .filter((name) => !shown.has(name) && !/_storage_/.test(name));
  expect(missing.filter((name) => !ofOpenLabels.includes(name))).toEqual([]);
  for (const reason of ['retention', 'disk-budget', 'damage', 'refused'])
    expect(metrics).toContain(`\nheadwater_records_lost_total{reason="${reason}"} 0\n`);
  for (const sample of [
    'serial_dead_letters_total{port="wind"',
    'mqtt_source_dead_letters_total{source="plant"',
  ])
    expect(metrics).toMatch(new RegExp(`^headwater_${sample},reason="[a-z-]+"\\} 0$`, 'm'));
});
