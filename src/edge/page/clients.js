/* The MQTT clients that are connected, with what has come from each. */
import { card, element, setAttribute, setText } from './dom.js';
import { foundList } from './found-list.js';
import { agoText, counted, countText } from './words.js';

/** @typedef {import('../../ingest/mqtt/connected-clients.ts').ConnectedClientStatus} Client */

const listenerNames = { mqtt: 'MQTT', mqtts: 'TLS', ws: 'WebSocket', wss: 'WebSocket, TLS' };

/** @param {() => number} nowMs @returns {import('./dom.js').Row<Client>} */
function clientRow(nowMs) {
  const id = element('span', { class: 'device' });
  const place = element('span', { class: 'path' });
  const drops = element('p', { class: 'problem' });
  const since = element('td', { class: 'number quiet' });
  const messages = element('td', { class: 'number' });
  const last = element('td', { class: 'number quiet' });
  return {
    node: element('tr', {}, element('th', { scope: 'row' }, id, ' ', place, drops), messages, last, since),
    update({ id: name, user, address, listener, ...client }) {
      setText(id, name);
      const who = user === null ? 'no user' : `user ${user}`;
      setText(place, `${who} · ${listenerNames[listener]} from ${address}`);
      setText(messages, countText(client.messages));
      setText(last, client.lastMessageMs === null ? '–' : agoText(client.lastMessageMs, nowMs()));
      setText(since, agoText(client.connectedMs, nowMs()));
      setAttribute(drops, 'hidden', client.lastDrop === null);
      if (client.lastDrop !== null)
        setText(
          drops,
          `${counted(client.dropped, 'message')} dropped, the last ${agoText(client.lastDrop.atMs, nowMs())}: ${client.lastDrop.message}`,
        );
    },
  };
}

/** The card; it asks for what it shows by itself, each time it is told to. */
export function clientsCard() {
  let nowMs = 0;
  const body = element('tbody');
  const list = element(
    'table',
    { class: 'clients' },
    element('caption', { class: 'hidden' }, 'MQTT clients that are connected'),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('th', { scope: 'col' }, 'Client'),
        element('th', { scope: 'col', class: 'number' }, 'Messages'),
        element('th', { scope: 'col', class: 'number' }, 'The last'),
        element('th', { scope: 'col', class: 'number' }, 'Connected'),
      ),
    ),
    body,
  );
  /** @type {ReturnType<typeof foundList<Client>>} */
  const found = foundList({
    path: '/api/clients',
    name: 'clients',
    words: ['client', 'clients'],
    label: 'Look for MQTT clients',
    hint: 'Part of an id, user or address',
    nothing: 'No MQTT client is connected.',
    list,
    body,
    // One that comes back is another one: it counts anew.
    keyOf: ({ id, address }) => `${address}/${id}`,
    row: () => clientRow(() => nowMs),
  });
  return {
    node: card('MQTT clients', 'clients', found.node),
    /** @param {number} now */
    update(now) {
      nowMs = now;
      found.load();
    },
  };
}
