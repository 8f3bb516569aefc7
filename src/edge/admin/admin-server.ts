import type { Clock } from '../../core/clock.ts';
import { messageOf, OperatingError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import { type Address, formatAddress } from '../config/address.ts';
import type { ReloadOutcome } from '../config-reloads.ts';
import { degradations, type StatusReport } from '../status.ts';
import type { TopicChanges } from '../topic-changes.ts';
import type { UserAdministration } from '../users/users.ts';
import { type AdminApp, adminApp } from './admin-app.ts';
import type { AlertDesk } from './alert-requests.ts';
import { addAlerts } from './alert-routes.ts';
import { ApiError, answerFor, crash } from './api-error.ts';
import { LineStreams } from './line-streams.ts';
import { addSerial, type WatchedPorts } from './port-events.ts';
import { addRecords, type WritableLog } from './record-routes.ts';
import { addReload } from './reload-routes.ts';
import { requireLocal, requireToken } from './request-guard.ts';
import { addTopics } from './topic-routes.ts';
import { addUsers } from './user-routes.ts';

/** What the server asks of the log. */
export interface AdminLog extends WritableLog {
  readonly available: boolean;
  readonly unavailableReason: string | null;
}

/** What the server shows and serves. */
export interface AdminServerOptions {
  readonly listen: Address;
  readonly log: AdminLog;
  readonly topics: TopicChanges;
  readonly users: UserAdministration;
  readonly serial: WatchedPorts;
  /** Reads the configuration again. */
  readonly reload: () => Promise<ReloadOutcome>;
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

/** HTTP on loopback for the CLI, for scrapers and for health checks (design §8). */
export class AdminServer {
  readonly address: Address;
  readonly #app: AdminApp;
  readonly #stopping: AbortController;

  private constructor(app: AdminApp, address: Address, stopping: AbortController) {
    this.#app = app;
    this.address = address;
    this.#stopping = stopping;
  }

  /** @throws OperatingError `port-unusable` */
  static async start(options: AdminServerOptions): Promise<AdminServer> {
    const app = adminApp();
    const stopping = new AbortController();
    guard(app, options.token);
    answerErrors(app, options.logger);
    addHealth(app, options);
    addStatus(app, options);
    addTopics(app, options.topics);
    addUsers(app, options.users);
    addAlerts(app, options.alerts);
    addReload(app, options.reload);
    const streams = new LineStreams(options.logger, stopping.signal);
    addRecords(app, options, streams);
    addSerial(app, options.serial, streams);
    try {
      // It writes into what it is given.
      await app.listen({ ...options.listen });
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

function boundPort(app: AdminApp): number {
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function guard(app: AdminApp, token: string): void {
  app.addHook('onRequest', (request, _reply, done) => {
    requireLocal(request.headers, boundPort(app));
    if (!('open' in request.routeOptions.config)) requireToken(request.headers, token);
    done();
  });
}

function answerErrors(app: AdminApp, logger: Logger): void {
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

function addHealth(app: AdminApp, { log }: AdminServerOptions): void {
  const open = { config: { open: true } };
  app.get('/healthz', open, () => ({ healthy: true }));
  app.get('/readyz', open, (_request, reply) => {
    const reasons = degradations(log);
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons });
  });
}

function addStatus(app: AdminApp, options: AdminServerOptions): void {
  app.get('/api/status', () => options.status());
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', options.metricsContentType).send(await options.renderMetrics()),
  );
}
