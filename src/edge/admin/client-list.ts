import type { ConnectedClientStatus } from '../../ingest/mqtt/connected-clients.ts';
import { type ListQuery, partOf } from './list-query.ts';

/** What `GET /api/clients` answers. */
export interface ClientPage {
  /** How many are connected. */
  readonly total: number;
  /** How many of them were asked for, those of other pages included. */
  readonly found: number;
  readonly clients: readonly ConnectedClientStatus[];
}

/** Some of those who are connected, looked for by client id, user or address. */
export function clientPage(connected: readonly ConnectedClientStatus[], query: ListQuery): ClientPage {
  const namesOf = ({ id, user, address }: ConnectedClientStatus) => [id, user ?? '', address];
  const { total, found, items } = partOf(connected, query, namesOf);
  return { total, found, clients: items };
}
