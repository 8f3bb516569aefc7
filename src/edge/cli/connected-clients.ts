import { durationText } from '../../core/duration.ts';
import { limits } from '../../core/limits.ts';
import { visibleText } from '../../core/visible-text.ts';
import type { ConnectedClientStatus } from '../../ingest/mqtt/connected-clients.ts';
import type { ClientPage } from '../admin/client-list.ts';
import type { AdminClient } from './admin-client.ts';
import { counted } from './amounts.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** `headwater devices connected`: the clients that are connected and have the text in their id, user or address. */
export async function listConnected(
  client: AdminClient,
  terminal: Terminal,
  { search, json }: { readonly search: string; readonly json: boolean },
): Promise<ExitCode> {
  const clients = await connectedClients(client, search);
  const text = json ? JSON.stringify({ clients }) : clientRows(clients, search, Date.now()).join('\n');
  await terminal.output.write(`${text}\n`);
  return exitCodes.ok;
}

async function connectedClients(
  client: AdminClient,
  search: string,
): Promise<readonly ConnectedClientStatus[]> {
  // Between two pages some come and go: none is to be here twice for it.
  const clients = new Map<string, ConnectedClientStatus>();
  for (let offset = 0; ; offset += limits.listPageMax) {
    const query = new URLSearchParams({ search, offset: String(offset), limit: String(limits.listPageMax) });
    const page = (await client.json('GET', `/api/clients?${query}`)) as ClientPage;
    for (const one of page.clients) clients.set(`${one.address} ${one.id}`, one);
    if (offset + page.clients.length >= page.found || page.clients.length === 0) return [...clients.values()];
  }
}

/** A line for each client, and a second one for what was dropped of it. */
function clientRows(
  clients: readonly ConnectedClientStatus[],
  search: string,
  nowMs: number,
): readonly string[] {
  if (clients.length === 0)
    return [search === '' ? 'no client is connected' : `no client that is connected fits "${search}"`];
  const idWidth = Math.max(...clients.map(({ id }) => visibleText(id).length));
  const userWidth = Math.max(...clients.map(({ user }) => userText(user).length));
  return clients.flatMap((client) => {
    const { id, user, address, listener, connectedMs, messages, lastMessageMs } = client;
    const agoText = (ms: number): string => `${durationText(Math.max(0, nowMs - ms) / 1000)} ago`;
    const last = lastMessageMs === null ? '' : `, the last ${agoText(lastMessageMs)}`;
    return [
      `${visibleText(id).padEnd(idWidth)}  ${userText(user).padEnd(userWidth)}  ${listener} from ${address}  ` +
        `connected ${agoText(connectedMs)}, ${counted(messages, 'message')}${last}`,
      ...droppedRow(client, agoText),
    ];
  });
}

const userText = (user: string | null): string => (user === null ? 'no user' : visibleText(`user ${user}`));

function droppedRow(
  { dropped, lastDrop }: ConnectedClientStatus,
  agoText: (ms: number) => string,
): readonly string[] {
  if (lastDrop === null) return [];
  return [
    `  DROPPED ${counted(dropped, 'message')}, the last ${agoText(lastDrop.atMs)}: ${visibleText(lastDrop.message)}`,
  ];
}
