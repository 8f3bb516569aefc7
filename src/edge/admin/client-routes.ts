import type { ConnectedClientStatus } from '../../ingest/mqtt/connected-clients.ts';
import type { AdminApp } from './admin-app.ts';
import { clientPage } from './client-list.ts';
import { clientPageSchema } from './description/client-schema.ts';
import { type ListQueryText, listQuery, listQuerySchema } from './list-query.ts';

/** Who is connected to the MQTT port. */
export function addClients(app: AdminApp, connected: () => readonly ConnectedClientStatus[]): void {
  app.get<{ Querystring: ListQueryText }>(
    '/api/clients',
    {
      schema: {
        summary: 'MQTT clients that are connected, in the order of their ids.',
        querystring: listQuerySchema,
        response: { 200: clientPageSchema },
      },
    },
    ({ query }) => clientPage(connected(), listQuery(query)),
  );
}
