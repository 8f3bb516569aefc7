import type { ConnectedClientStatus } from '../../../ingest/mqtt/connected-clients.ts';
import type { ClientPage } from '../client-list.ts';
import { count, listOf, nullable, objectOf, oneOfTexts, type Schema, text, timeMs } from './json-schema.ts';

/** The JSON schema of a {@link ClientPage}. */
export const clientPageSchema: Schema = objectOf<ClientPage>({
  total: count,
  found: count,
  clients: listOf(
    objectOf<ConnectedClientStatus>({
      id: text,
      user: nullable(text),
      address: text,
      listener: oneOfTexts(['mqtt', 'mqtts', 'ws', 'wss']),
      connectedMs: timeMs,
      messages: count,
      lastMessageMs: nullable(timeMs),
      dropped: count,
      lastDrop: nullable(
        objectOf<Exclude<ConnectedClientStatus['lastDrop'], null>>({ message: text, atMs: timeMs }),
      ),
    }),
  ),
});
