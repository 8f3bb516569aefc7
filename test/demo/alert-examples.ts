import type { AlertEvent } from '../../demo/anomaly-feed.ts';
import { beginningAlert } from '../../src/anomaly/alerts/alert.ts';
import type { FindingKind } from '../../src/anomaly/detection/finding.ts';

/** An alert of a series as it was raised at a moment. */
export function alertAt(moment: string, series: string, kind: FindingKind): AlertEvent {
  const timeMs = Date.parse(moment);
  const alert = beginningAlert({ series, partition: 0, unit: null }, kind, null, {
    timeMs,
    value: 1,
    offset: 1,
  });
  return { ...alert, topic: 'plant', message: `${series} ${kind}`, event: 'raised', timeMs };
}
