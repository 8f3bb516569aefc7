import { expect, test } from 'vitest';
import { adminApp } from '../../../src/edge/admin/admin-app.ts';
import { addClients, type ClientPage } from '../../../src/edge/admin/client-routes.ts';
import type { ConnectedClientStatus } from '../../../src/ingest/mqtt/connected-clients.ts';

const clients: readonly ConnectedClientStatus[] = Array.from({ length: 12 }, (_, index) => ({
  id: `device-${10 + index}`,
  user: index === 3 ? 'Pump' : null,
  address: `192.0.2.${index}:1024`,
  listener: 'mqtts',
  connectedMs: 1,
  messages: index,
  lastMessageMs: index === 0 ? null : 2,
  dropped: index === 5 ? 1 : 0,
  lastDrop: index === 5 ? { message: 'the disk is full', atMs: 3 } : null,
}));

async function ask(query: string) {
  const app = adminApp(null);
  addClients(app, () => clients);
  const answer = await app.inject(`/api/clients?${query}`);
  await app.close();
  return { status: answer.statusCode, body: answer.json<ClientPage>() };
}

test('those who are connected come in pages that say how many there are', async () => {
  expect((await ask('offset=10&limit=5')).body).toEqual({
    total: 12,
    found: 12,
    clients: clients.slice(10),
  });
  expect((await ask('limit=0')).status).toBe(400);
});

test.each([
  ['DEVICE-2', ['device-20', 'device-21']],
  ['pump', ['device-13']],
  ['192.0.2.5', ['device-15']],
  ['nobody', []],
])('they are found by id, user and address, whatever the case: %s', async (search, ids) => {
  const { body } = await ask(`search=${search}`);
  expect(body.clients.map(({ id }) => id)).toEqual(ids);
  expect(body).toMatchObject({ total: 12, found: ids.length });
});
