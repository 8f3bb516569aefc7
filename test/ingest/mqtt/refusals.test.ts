import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { Refusals } from '../../../src/ingest/mqtt/refusals.ts';
import { SimClock } from '../../support/sim-clock.ts';
import { CountingMetrics, KeepingLogger } from './harness.ts';

test('the first refusals of an interval are told one by one, the others in one line at its end', async () => {
  const clock = new SimClock();
  const logger = new KeepingLogger();
  const metrics = new CountingMetrics();
  const refusals = new Refusals(clock, logger, metrics);
  for (let index = 0; index < limits.mqttRefusalLinesMax + 3; index++) {
    refusals.connection('protocol', { address: 'somewhere' }, 'it is no MQTT client');
  }
  refusals.sweep();
  expect(logger.lines.length).toBe(limits.mqttRefusalLinesMax);
  await clock.sleep(limits.mqttRefusalIntervalMs);
  refusals.sweep();
  expect(logger.lines.slice(limits.mqttRefusalLinesMax)).toEqual([
    expect.stringContaining('{"unsaid":{"protocol":3}}'),
  ]);
  refusals.connection('protocol', {}, 'it is no MQTT client');
  expect(logger.lines.length).toBe(limits.mqttRefusalLinesMax + 2);
  await clock.sleep(limits.mqttRefusalIntervalMs);
  refusals.sweep();
  expect(logger.lines.length).toBe(limits.mqttRefusalLinesMax + 2);
  expect(metrics.value('headwater_mqtt_connections_refused_total', { reason: 'protocol' })).toBe(
    limits.mqttRefusalLinesMax + 4,
  );
});
