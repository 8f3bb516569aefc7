import { constants } from 'node:crypto';
import type { ServerOptions, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  fastify,
} from 'fastify';
import { limits } from '../../core/limits.ts';
import type { ServerTls } from '../../ingest/mqtt/server-tls.ts';
import { answerHeaderLines, putAnswerHeaders } from './access/answer-headers.ts';
import { ConnectionCount } from './access/connection-count.ts';
import { peerOf } from './peer.ts';

declare module 'fastify' {
  interface FastifySchema {
    /** What the route does, in words. */
    summary?: string;
  }
}

/** The HTTP server to which routes are added. */
export type AdminApp = FastifyInstance;

/** A request to it, and its answer. */
export type AdminRequest = FastifyRequest;
export type AdminReply = FastifyReply;

/** What shows to clients that it is this gateway; null for plain HTTP. */
export type AdminTls = Pick<ServerTls, 'credentials' | 'onChange'> | null;

/** One without routes, and with its bounds. */
export function adminApp(tls: AdminTls): AdminApp {
  const http: ServerOptions = {
    maxHeaderSize: limits.adminHeaderBytesMax,
    headersTimeout: limits.adminHeadersTimeoutMs,
    requestTimeout: limits.adminRequestTimeoutMs,
    connectionsCheckingInterval: limits.adminSweepIntervalMs,
  };
  const bounds = {
    bodyLimit: limits.adminRequestBytesMax,
    requestTimeout: limits.adminRequestTimeoutMs,
    keepAliveTimeout: limits.adminKeepAliveMs,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: limits.topicNameLengthMax },
    forceCloseConnections: 'idle',
    // Values are taken as they were sent: null is not '', and 5 is not '5'.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    frameworkErrors: (error: Error, _request: unknown, reply: { readonly raw: ServerResponse }) =>
      refuseUnrouted(error, reply.raw),
    clientErrorHandler: refuseConnection,
  } satisfies FastifyServerOptions;
  const app =
    tls === null
      ? fastify({ ...bounds, http })
      : // Its type tells how it serves, which nobody here asks.
        (fastify({ ...bounds, https: { ...http, ...secureContext(tls) } }) as unknown as AdminApp);
  // An answer is sent as it is; the tests check that its schema says the same.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  boundConnections(app);
  tls?.onChange(() => (app.server as unknown as HttpsServer).setSecureContext(secureContext(tls)));
  // Only JSON: a web form can send text/plain across origins without asking.
  app.removeContentTypeParser('text/plain');
  return app;
}

const secureContext = ({ credentials }: NonNullable<AdminTls>) => ({
  ...credentials,
  minVersion: 'TLSv1.2' as const,
  // Who begins a session when another certificate counts is shown that one.
  secureOptions: constants.SSL_OP_NO_TICKET,
  handshakeTimeout: limits.adminHandshakeTimeoutMs,
});

function boundConnections({ server }: AdminApp): void {
  server.maxConnections = limits.adminConnectionsMax;
  const count = new ConnectionCount();
  server.on('connection', (socket: Socket) => {
    const host = peerOf(socket.remoteAddress ?? '');
    if (!count.add(host)) {
      socket.destroy();
      return;
    }
    socket.once('close', () => count.remove(host));
  });
}

const refusal = (message: string): string => JSON.stringify({ error: { code: 'bad-request', message } });
const contentType = 'application/json; charset=utf-8';

/** Answers a path that is none, such as one with half a percent sign, which nobody else looks at. */
function refuseUnrouted({ message }: Error, response: ServerResponse): void {
  putAnswerHeaders(response);
  response.writeHead(400, { 'content-type': contentType }).end(refusal(message));
}

const reasons: Readonly<Record<string, readonly [string, string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request took too long'],
};

/** Answers what is no HTTP request, and closes. */
function refuseConnection(error: Error, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const code = 'code' in error ? String(error.code) : '';
  const [status, message] = reasons[code] ?? ['400 Bad Request', 'this is no HTTP request'];
  const body = refusal(message);
  const headers = `content-type: ${contentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n`;
  socket.end(`HTTP/1.1 ${status}\r\n${headers}${answerHeaderLines}\r\n${body}`, () => socket.destroy());
}
