import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { limits } from '../../core/limits.ts';

/** The HTTP server to which routes are added. */
export type AdminApp = FastifyInstance;

/** A request to it, and its answer. */
export type AdminRequest = FastifyRequest;
export type AdminReply = FastifyReply;

/** One without routes, and with its bounds. */
export function adminApp(): AdminApp {
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
  return app;
}
