import type { Clock } from '../../core/clock.ts';
import { isOperatingError } from '../../core/errors.ts';
import { countFromZero, type Metrics } from '../../core/metrics.ts';
import type { NewRecord } from '../../core/record.ts';
import type { AdminApp } from './admin-app.ts';
import { ApiError } from './api-error.ts';
import { count, listOf, objectOf } from './description/json-schema.ts';
import { linesSchema, recordSchema } from './description/record-schema.ts';
import type { LineStreams } from './line-streams.ts';
import { newRecords, type RecordsInput, recordLine, recordsInputSchema } from './record-json.ts';
import { type RecordChunk, type RecordLog, type RecordQuery, readRecords } from './record-stream.ts';

/** What is read and written by requests. */
export interface WritableLog extends RecordLog {
  append(records: readonly NewRecord[]): Promise<readonly { partition: number; offset: number }[]>;
}

interface RecordRoutesOptions {
  readonly log: WritableLog;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Text of a record stream is handed on in pieces of about this many characters. */
const PIECE_LENGTH = 64 * 1024;
const wholeNumber = { type: 'string', pattern: '^[0-9]{1,15}$' };

interface RecordQueryText {
  readonly topic: string;
  readonly partition?: string;
  readonly offset?: string;
  readonly fromTimeMs?: string;
  readonly follow?: 'true' | 'false';
  readonly limit?: string;
}

/** Records are durable once they are answered; reading is a stream of lines. */
export function addRecords(app: AdminApp, options: RecordRoutesOptions, streams: LineStreams): void {
  countFromZero(options.metrics, 'headwater_records_accepted_total', 'source', ['api']);
  const place = objectOf<{ partition: number; offset: number }>({ partition: count, offset: count });
  const appended = objectOf<{ records: object }>({ records: listOf(place) });
  app.post<{ Body: RecordsInput }>(
    '/api/records',
    { schema: { summary: 'Appends records.', body: recordsInputSchema, response: { 200: appended } } },
    async ({ body }) => ({
      records: await append(options, newRecords(body, options.clock.monotonicMs())),
    }),
  );
  const querystring = {
    type: 'object',
    required: ['topic'],
    additionalProperties: false,
    properties: {
      topic: { type: 'string' },
      partition: wholeNumber,
      offset: wholeNumber,
      fromTimeMs: wholeNumber,
      limit: { type: 'string', pattern: '^[1-9][0-9]{0,14}$' },
      follow: { enum: ['true', 'false'] },
    },
  };
  app.get<{ Querystring: RecordQueryText }>(
    '/api/records',
    {
      schema: {
        summary: 'Records, from the first one or as they come.',
        querystring,
        response: { 200: linesSchema(recordSchema) },
      },
    },
    async ({ query }, reply) =>
      await streams.send(reply, (gone) =>
        linePieces(query.topic, readRecords(options.log, recordQuery(query), gone)),
      ),
  );
}

async function append(
  { log, metrics }: RecordRoutesOptions,
  records: readonly NewRecord[],
): Promise<readonly { partition: number; offset: number }[]> {
  try {
    const appended = await log.append(records);
    metrics.add('headwater_records_accepted_total', records.length, { source: 'api' });
    return appended.map(({ partition, offset }) => ({ partition, offset }));
  } catch (error) {
    if (isOperatingError(error)) {
      metrics.add('headwater_records_refused_total', records.length, { reason: error.code });
    }
    throw error;
  }
}

function recordQuery({ topic, partition, offset, fromTimeMs, follow, limit }: RecordQueryText): RecordQuery {
  if (offset !== undefined && partition === undefined) {
    throw new ApiError('bad-request', 'an offset belongs to one partition: send partition as well');
  }
  if (offset !== undefined && fromTimeMs !== undefined) {
    throw new ApiError('bad-request', 'offset and fromTimeMs both say where to start: send one of them');
  }
  return {
    topic,
    follow: follow === 'true',
    ...(partition === undefined ? {} : { partition: Number(partition) }),
    ...(offset === undefined ? {} : { offset: Number(offset) }),
    ...(fromTimeMs === undefined ? {} : { fromTimeMs: Number(fromTimeMs) }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
  };
}

async function* linePieces(topic: string, chunks: AsyncIterable<RecordChunk>): AsyncGenerator<string> {
  for await (const { partition, records } of chunks) {
    let piece = '';
    for (const record of records) {
      piece += recordLine(topic, partition, record);
      if (piece.length < PIECE_LENGTH) continue;
      yield piece;
      piece = '';
    }
    if (piece !== '') yield piece;
  }
}
