import { type FastifyInstance, fastify } from 'fastify';
import type { Clock } from '../../core/clock.ts';
import { isOperatingError, messageOf, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { NewRecord } from '../../core/record.ts';
import { type Address, formatAddress } from '../config/address.ts';
import { degradations, type StatusReport } from '../status.ts';
import type { TopicChange, TopicChanges } from '../topic-changes.ts';
import type { ImportedUser } from '../users/mosquitto-passwd.ts';
import type { NewUser, UserAdministration, UserChange } from '../users/users.ts';
import {
  type Acknowledgement,
  type AlertDesk,
  AlertRequests,
  acknowledgementSchema,
  type Shelving,
  shelvingSchema,
} from './alert-requests.ts';
import { ApiError, answerFor, crash } from './api-error.ts';
import { LineStreams } from './line-streams.ts';
import { portEventLines, type WatchedPorts } from './port-events.ts';
import { newRecords, type RecordsInput, recordLine, recordsInputSchema } from './record-json.ts';
import { type RecordChunk, type RecordLog, type RecordQuery, readRecords } from './record-stream.ts';
import { requireLocal, requireToken } from './request-guard.ts';
import { type TopicInput, topicChangeSchema, topicInputSchema } from './topic-json.ts';
import { importSchema, newUserSchema, userChangeSchema } from './user-json.ts';

/** What the server asks of the log. */
export interface AdminLog extends RecordLog {
  readonly available: boolean;
  readonly unavailableReason: string | null;
  append(records: readonly NewRecord[]): Promise<readonly { partition: number; offset: number }[]>;
}

/** What the server shows and serves. */
export interface AdminServerOptions {
  readonly listen: Address;
  readonly log: AdminLog;
  readonly topics: TopicChanges;
  readonly users: UserAdministration;
  readonly serial: WatchedPorts;
  /** Null if anomaly detection is switched off. */
  readonly alerts: AlertDesk | null;
  /** What every request but `/healthz` and `/readyz` must carry. */
  readonly token: string;
  /** Asked only after the start. */
  readonly status: () => Promise<StatusReport>;
  readonly renderMetrics: () => Promise<string>;
  readonly metricsContentType: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Text of a record stream is handed on in pieces of about this many characters. */
const PIECE_LENGTH = 64 * 1024;
const wholeNumber = { type: 'string', pattern: '^[0-9]{1,15}$' };

/** HTTP on loopback for the CLI, for scrapers and for health checks (design §8). */
export class AdminServer {
  readonly address: Address;
  readonly #app: FastifyInstance;
  readonly #stopping: AbortController;

  private constructor(app: FastifyInstance, address: Address, stopping: AbortController) {
    this.#app = app;
    this.address = address;
    this.#stopping = stopping;
  }

  /** @throws OperatingError `port-unusable` */
  static async start(options: AdminServerOptions): Promise<AdminServer> {
    const app = fastify({
      bodyLimit: limits.adminRequestBytesMax,
      requestTimeout: limits.adminRequestTimeoutMs,
      exposeHeadRoutes: false,
      routerOptions: { maxParamLength: limits.topicNameLengthMax },
      forceCloseConnections: 'idle',
      // Values are taken as they were sent: null is not '', and 5 is not '5'.
      ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    });
    app.server.maxConnections = limits.adminConnectionsMax;
    // Only JSON: a web form can send text/plain across origins without asking.
    app.removeContentTypeParser('text/plain');
    const stopping = new AbortController();
    guard(app, options.token);
    answerErrors(app, options.logger);
    addHealth(app, options);
    addStatus(app, options);
    addTopics(app, options);
    addUsers(app, options);
    addAlerts(app, options);
    const streams = new LineStreams(options.logger, stopping.signal);
    addRecords(app, options, streams);
    addSerial(app, options, streams);
    try {
      await app.listen(options.listen);
    } catch (error) {
      await app.close();
      throw new OperatingError(
        'port-unusable',
        `cannot listen on ${formatAddress(options.listen)} for the admin API: ${messageOf(error)}. Stop what uses ` +
          'the port, or set admin.listen to another one (port 0: any free one).',
        { cause: error },
      );
    }
    return new AdminServer(app, { host: options.listen.host, port: boundPort(app) }, stopping);
  }

  /** Ends record streams, lets other requests finish, then closes. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#app.close();
  }
}

function boundPort(app: FastifyInstance): number {
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function guard(app: FastifyInstance, token: string): void {
  app.addHook('onRequest', (request, _reply, done) => {
    requireLocal(request.headers, boundPort(app));
    if (!('open' in request.routeOptions.config)) requireToken(request.headers, token);
    done();
  });
}

function answerErrors(app: FastifyInstance, logger: Logger): void {
  app.setNotFoundHandler((request) => {
    throw new ApiError('not-found', `there is no ${request.method} ${request.url.split('?')[0]}`);
  });
  app.setErrorHandler((error, request, reply) => {
    const answer = answerFor(error);
    if (answer === null) {
      crash(error);
      reply.code(500).send({ error: { code: 'internal', message: messageOf(error) } });
      return;
    }
    if (answer.status === 500) logger.error({ error, url: request.url }, 'a request to the admin API failed');
    if (answer.status === 401) reply.header('www-authenticate', 'Bearer');
    reply.code(answer.status).send(answer.body);
  });
}

function addHealth(app: FastifyInstance, { log }: AdminServerOptions): void {
  const open = { config: { open: true } };
  app.get('/healthz', open, () => ({ healthy: true }));
  app.get('/readyz', open, (_request, reply) => {
    const reasons = degradations(log);
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons });
  });
}

function addStatus(app: FastifyInstance, options: AdminServerOptions): void {
  app.get('/api/status', () => options.status());
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', options.metricsContentType).send(await options.renderMetrics()),
  );
}

/** Each change is durable once it is answered, with the topic as it is then (or was, if it is deleted). */
function addTopics(app: FastifyInstance, { topics }: AdminServerOptions): void {
  app.get('/api/topics', () => ({ topics: topics.list() }));
  app.post<{ Body: TopicInput }>(
    '/api/topics',
    { schema: { body: topicInputSchema } },
    async ({ body: { name, partitions, settings = {} } }, reply) => {
      await topics.create(name, partitions, settings);
      return reply.code(201).send(topics.describe(name));
    },
  );
  type Named = { Params: { name: string } };
  app.get<Named>('/api/topics/:name', ({ params: { name } }) => topics.describe(name));
  app.patch<Named & { Body: TopicChange }>(
    '/api/topics/:name',
    { schema: { body: topicChangeSchema } },
    async ({ params: { name }, body }) => {
      await topics.change(name, body);
      return topics.describe(name);
    },
  );
  app.delete<Named>('/api/topics/:name', async ({ params: { name } }) => {
    const last = topics.describe(name);
    await topics.delete(name);
    return last;
  });
}

/** Each change is durable once it is answered, and counts at once. No answer holds a password or a hash. */
function addUsers(app: FastifyInstance, { users }: AdminServerOptions): void {
  app.get('/api/users', async () => ({ users: await users.list() }));
  app.post<{ Body: NewUser }>('/api/users', { schema: { body: newUserSchema } }, async ({ body }, reply) =>
    reply.code(201).send(await users.add(body)),
  );
  app.post<{ Body: { users: readonly ImportedUser[] } }>(
    '/api/users/import',
    { schema: { body: importSchema } },
    async ({ body }) => await users.import(body.users),
  );
  type Named = { Params: { name: string } };
  app.patch<Named & { Body: UserChange }>(
    '/api/users/:name',
    { schema: { body: userChangeSchema } },
    async ({ params: { name }, body }) => await users.change(name, body),
  );
  app.delete<Named>('/api/users/:name', async ({ params: { name } }) => await users.remove(name));
}

/** Each change is durable once it is answered, with the alert as it is then. */
function addAlerts(app: FastifyInstance, options: AdminServerOptions): void {
  const alerts = new AlertRequests(options.alerts);
  app.get('/api/alerts', () => alerts.list());
  type Chosen = { Params: { id: string } };
  app.post<Chosen & { Body: Acknowledgement }>(
    '/api/alerts/:id/ack',
    { schema: { body: acknowledgementSchema } },
    ({ params: { id }, body }) => alerts.acknowledge(id, body),
  );
  app.post<Chosen & { Body: Shelving }>(
    '/api/alerts/:id/shelve',
    { schema: { body: shelvingSchema } },
    ({ params: { id }, body }) => alerts.shelve(id, body),
  );
  app.post<Chosen>('/api/alerts/:id/unshelve', ({ params: { id } }) => alerts.unshelve(id));
}

interface RecordQueryText {
  readonly topic: string;
  readonly partition?: string;
  readonly offset?: string;
  readonly fromTimeMs?: string;
  readonly follow?: 'true' | 'false';
  readonly limit?: string;
}

function addRecords(app: FastifyInstance, options: AdminServerOptions, streams: LineStreams): void {
  app.post<{ Body: RecordsInput }>(
    '/api/records',
    { schema: { body: recordsInputSchema } },
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
    { schema: { querystring } },
    async ({ query }, reply) =>
      await streams.send(reply, (gone) =>
        linePieces(query.topic, readRecords(options.log, recordQuery(query), gone)),
      ),
  );
}

/** What happens at a port is shown as it happens; it goes to the log all the same. */
function addSerial(app: FastifyInstance, { serial }: AdminServerOptions, streams: LineStreams): void {
  app.get<{ Params: { name: string } }>(
    '/api/serial/:name/events',
    async ({ params: { name } }, reply) =>
      await streams.send(reply, (gone) => portEventLines(serial, name, gone)),
  );
}

async function append(
  { log, metrics }: AdminServerOptions,
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
