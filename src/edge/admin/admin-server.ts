import type { Clock } from '../../core/clock.ts';
import { messageOf, OperatingError } from '../../core/errors.ts';
import type { NewestLines } from '../../core/kept-lines.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { ConnectedClientStatus } from '../../ingest/mqtt/connected-clients.ts';
import { type Address, formatAddress } from '../config/address.ts';
import type { ReloadOutcome } from '../config-reloads.ts';
import type { HealthReport } from '../health/health-report.ts';
import type { StatusReport } from '../status.ts';
import type { TopicChanges } from '../topic-changes.ts';
import type { UserAdministration } from '../users/users.ts';
import type { AdminAccess } from './access/admin-access.ts';
import { type AdminApp, type AdminTls, adminApp } from './admin-app.ts';
import type { AlertDesk } from './alert-requests.ts';
import { addAlerts } from './alert-routes.ts';
import { ApiError, answerFor, crash } from './api-error.ts';
import { addClients } from './client-routes.ts';
import { flag, listOf, objectOf, text } from './description/json-schema.ts';
import { ApiDescription } from './description/openapi.ts';
import { statusSchema } from './description/status-schema.ts';
import { LineStreams } from './line-streams.ts';
import { pageFrame } from './page-frame.ts';
import { addPage } from './page-routes.ts';
import { addSerial, type WatchedPorts } from './port-events.ts';
import { addRecords, type WritableLog } from './record-routes.ts';
import { addReload } from './reload-routes.ts';
import { guard, type OwnNames } from './request-guard.ts';
import type { SeriesDesk } from './series-list.ts';
import { addSeries } from './series-routes.ts';
import { addServiceLog } from './service-log-routes.ts';
import { addSessions } from './session-routes.ts';
import { addTopics } from './topic-routes.ts';
import { addUsers } from './user-routes.ts';
import { Viewers } from './viewers.ts';

/** What the server shows and serves. */
export interface AdminServerOptions {
  readonly listen: Address;
  readonly log: WritableLog;
  readonly health: () => HealthReport;
  readonly topics: TopicChanges;
  readonly users: UserAdministration;
  /** The MQTT clients that are connected. */
  readonly clients: () => readonly ConnectedClientStatus[];
  readonly serial: WatchedPorts;
  /** Reads the configuration again. */
  readonly reload: () => Promise<ReloadOutcome>;
  /** Null if anomaly detection is switched off. */
  readonly alerts: AlertDesk | null;
  /** The same. */
  readonly series: SeriesDesk | null;
  /** Records made durable in this run, by their source. */
  readonly accepted: () => Readonly<Record<string, number>>;
  /** Null for plain HTTP, which is for loopback. */
  readonly tls: AdminTls;
  /** Who is let in. */
  readonly access: AdminAccess;
  /** By what this machine may be called at this moment. */
  readonly names: () => OwnNames;
  /** Asked only after the start. */
  readonly status: () => Promise<StatusReport>;
  /** The newest warnings and errors of the service log. */
  readonly serviceLog: () => NewestLines;
  readonly renderMetrics: () => Promise<string>;
  readonly metricsContentType: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** HTTP for the page, for the CLI, for scrapers and for health checks (design §8); beyond loopback by TLS. */
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
    const app = adminApp(options.tls);
    const isHttps = options.tls !== null;
    const description = new ApiDescription();
    app.addHook('onRoute', (route) => description.add(route));
    const stopping = new AbortController();
    const { access, names, clock } = options;
    guard(app, { access, names, clock, isHttps, port: () => boundPort(app) });
    answerErrors(app, options.logger);
    addDescription(app, description);
    addHealth(app, options);
    addSessions(app, access, isHttps);
    addStatus(app, options);
    addTopics(app, options.topics);
    addUsers(app, options.users);
    addClients(app, options.clients);
    addAlerts(app, options.alerts);
    addReload(app, options.reload);
    addServiceLog(app, access, () => options.serviceLog());
    const streams = new LineStreams(options.logger, stopping.signal);
    addRecords(app, options, streams);
    addSerial(app, options.serial, streams);
    addSeries(app, { ...options, wallMs: () => clock.wallMs() });
    const frame = () => pageFrame({ ...options, wallMs: () => clock.wallMs() });
    addPage(app, new Viewers(frame, clock, stopping.signal));
    try {
      await app.listen(oneAddress(options.listen));
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

/** Every bound of the server is of one listener; the name stands for two addresses. */
const oneAddress = ({ host, port }: Address): Address => ({
  host: host === 'localhost' ? '127.0.0.1' : host,
  port,
});

function boundPort(app: AdminApp): number {
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
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
    if (answer.status === 500)
      logger.error(
        { error, url: request.url },
        'a request to the admin API failed, by what the operating system says; headwater status tells how disk and log are',
      );
    if (answer.body.error.code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
    if (answer.retryAfterMs !== null) reply.header('retry-after', Math.ceil(answer.retryAfterMs / 1000));
    reply.code(answer.status).send(answer.body);
  });
}

function addDescription(app: AdminApp, description: ApiDescription): void {
  app.get(
    '/api/openapi.json',
    { schema: { summary: 'This description.', response: { 200: { type: 'object' } } } },
    () => description.document(),
  );
}

function addHealth(app: AdminApp, { health }: AdminServerOptions): void {
  const config = { open: true };
  // Those who only look whether something is up ask by HEAD.
  const exposeHeadRoute = true;
  const healthy = objectOf<{ healthy: boolean; reasons: object }>({ healthy: flag, reasons: listOf(text) });
  app.get(
    '/healthz',
    {
      config,
      exposeHeadRoute,
      schema: {
        summary:
          'Whether the gateway should go on as it is: what its watchdog goes by. Commits complete, or readings are refused for a reason ' +
          'that starting it anew would not mend, such as a full disk; being offline is no reason.',
        response: { 200: healthy, 503: healthy },
      },
    },
    (_request, reply) => {
      const { isHealthy, reasons } = health();
      return reply.code(isHealthy ? 200 : 503).send({ healthy: isHealthy, reasons });
    },
  );
  const readiness = objectOf<{ ready: boolean; reasons: object }>({ ready: flag, reasons: listOf(text) });
  const response = { 200: readiness, 503: readiness };
  const schema = { summary: 'Whether readings are accepted; being offline is no reason.', response };
  app.get('/readyz', { config, exposeHeadRoute, schema }, (_request, reply) => {
    const { reasons } = health();
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons });
  });
}

function addStatus(app: AdminApp, options: AdminServerOptions): void {
  app.get(
    '/api/status',
    { schema: { summary: 'How the gateway is.', response: { 200: statusSchema } } },
    () => options.status(),
  );
  const response = { 200: { content: { 'text/plain': { schema: text } } } };
  app.get(
    '/metrics',
    { schema: { summary: "All metrics in Prometheus' text format.", response } },
    async (_request, reply) =>
      reply.header('content-type', options.metricsContentType).send(await options.renderMetrics()),
  );
}
