import type { ConnectedClientStatus } from '../../ingest/mqtt/connected-clients.ts';
import type { AdminApp } from './admin-app.ts';
import { clientPageSchema } from './description/client-schema.ts';
import { type ListQueryText, listQuery, listQuerySchema, partOf } from './list-query.ts';

/** What `GET /api/clients` answers. */
export interface ClientPage {
  /** How many are connected. */
  readonly total: number;
  /** How many of them were asked for, those of other pages included. */
  readonly found: number;
  readonly clients: readonly ConnectedClientStatus[];
}

/** Who is connected to the MQTT port: looked for by client id, user or address. */
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
    ({ query }): ClientPage => {
      const { total, found, items } = partOf(connected(), listQuery(query), ({ id, user, address }) => [
        id,
        user ?? '',
        address,
      ]);
      return { total, found, clients: items };
    },
  );
}
