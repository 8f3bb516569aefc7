import type { Series } from '../../anomaly/series/series-table.ts';
import { limits } from '../../core/limits.ts';
import type { AdminApp } from './admin-app.ts';
import { ApiError } from './api-error.ts';
import { newestRecordsSchema, seriesHistorySchema, seriesPageSchema } from './description/page-schema.ts';
import { type ListQueryText, listQuery, listQuerySchema } from './list-query.ts';
import { newestRecords } from './newest-records.ts';
import type { RecordLog } from './record-stream.ts';
import { type SeriesHistory, seriesHistory } from './series-history.ts';
import { type SeriesDesk, seriesPage } from './series-list.ts';

interface HistoryQueryText {
  readonly name: string;
  readonly partition?: string;
  readonly seconds?: string;
}

const historyQuerySchema = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1, maxLength: limits.seriesNameBytesMax },
    partition: { type: 'string', pattern: '^[0-9]{1,6}$' },
    seconds: { type: 'string', pattern: '^[1-9][0-9]{0,8}$' },
  },
};

const newestQuerySchema = {
  type: 'object',
  additionalProperties: false,
  properties: { limit: { type: 'string', pattern: '^[1-9][0-9]{0,5}$' } },
};

export interface SeriesRoutesOptions {
  readonly log: RecordLog;
  /** Null if anomaly detection is switched off. */
  readonly series: SeriesDesk | null;
  readonly wallMs: () => number;
}

/** What there is of series, and the newest records of a topic: what people look at. */
export function addSeries(app: AdminApp, { log, series: desk, wallMs }: SeriesRoutesOptions): void {
  const histories = new InTurn();
  app.get<{ Querystring: ListQueryText }>(
    '/api/series',
    {
      schema: {
        summary: 'Series with their last values, in the order of their names.',
        querystring: listQuerySchema,
        response: { 200: seriesPageSchema },
      },
    },
    ({ query }) => seriesPage(known(desk), listQuery(query)),
  );
  app.get<{ Querystring: HistoryQueryText }>(
    '/api/series/history',
    {
      schema: {
        summary: 'What the log holds of a series, with its expected range and what was wrong.',
        querystring: historyQuerySchema,
        response: { 200: seriesHistorySchema },
      },
    },
    async ({ query: { name, partition, seconds } }): Promise<SeriesHistory> => {
      const series = theSeries(known(desk), name, partition === undefined ? null : Number(partition));
      const wanted = Math.min(Number(seconds ?? limits.historySecondsDefault), limits.historySecondsMax);
      return await histories.run(() => seriesHistory(log, known(desk), series, wallMs() - wanted * 1000));
    },
  );
  app.get<{ Params: { name: string }; Querystring: { limit?: string } }>(
    '/api/topics/:name/newest',
    {
      schema: {
        summary: 'The newest records of a topic, each cut to its beginning.',
        querystring: newestQuerySchema,
        response: { 200: newestRecordsSchema },
      },
    },
    async ({ params: { name }, query: { limit } }) => {
      const count = Math.min(Number(limit ?? limits.newestRecordsDefault), limits.newestRecordsMax);
      return { topic: name, records: await histories.run(() => newestRecords(log, name, count)) };
    },
  );
}

function known(desk: SeriesDesk | null): SeriesDesk {
  if (desk !== null) return desk;
  throw new ApiError(
    'anomaly-off',
    'series are known to anomaly detection only, and that is switched off: anomaly.enabled is false',
  );
}

/** Of those of one name in several partitions, that which was heard last. */
function theSeries(desk: SeriesDesk, name: string, partition: number | null): Series {
  const [newest] = desk
    .series()
    .filter(({ subject, partition: own }) => subject.series === name && own === (partition ?? own))
    .toSorted((one, other) => other.lastTimeMs - one.lastTimeMs);
  if (newest !== undefined) return newest;
  throw new ApiError('not-found', `no series ${name} is known; GET /api/series lists those that are`);
}

/** One after the other: each of these reads of the log can take a while. */
class InTurn {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  async run<Result>(read: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= limits.historiesWaitingMax)
      throw new ApiError('too-many-readers', 'others read the log already; ask again in a moment');
    this.#waiting += 1;
    const turn = this.#last.then(read);
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }
}
