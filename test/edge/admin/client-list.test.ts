import { expect, test } from 'vitest';
import { clientPage } from '../../../src/edge/admin/client-list.ts';
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

test('those who are connected come in pages that say how many there are', () => {
  expect(clientPage(clients, { search: '', offset: 10, limit: 5 })).toEqual({
    total: 12,
    found: 12,
    clients: clients.slice(10),
  });
});

test.each([
  ['DEVICE-2', ['device-20', 'device-21']],
  ['pump', ['device-13']],
  ['192.0.2.5', ['device-15']],
  ['nobody', []],
])('they are found by id, user and address, whatever the case: %s', (search, ids) => {
  const page = clientPage(clients, { search, offset: 0, limit: 50 });
  expect(page.clients.map(({ id }) => id)).toEqual(ids);
  expect(page).toMatchObject({ total: 12, found: ids.length });
});
