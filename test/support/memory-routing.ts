import { noMetrics } from '../../src/core/metrics.ts';
import type { Route } from '../../src/ingest/mqtt/routes/route.ts';
import { Routing } from '../../src/ingest/mqtt/routes/routing.ts';

/** By default without routes; every topic is there. */
export const memoryRouting = (routes: readonly Route[] = []): Routing =>
  new Routing({
    routes,
    topics: { partitionsOf: () => Number.POSITIVE_INFINITY, grow: () => Promise.resolve() },
    receiptTime: () => ({ isClockSet: true, wallMs: 1_700_000_000_000 }),
    metrics: noMetrics,
  });
