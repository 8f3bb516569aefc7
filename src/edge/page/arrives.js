/* What arrives: how much from where, and how the ports are. */
import { devices } from './devices.js';
import { badge, card, element, Rows, setBadge, setText } from './dom.js';
import { countText, rateText } from './words.js';

/** @typedef {import('../admin/page-frame.ts').PageFrame} PageFrame */
/** @typedef {import('./devices.js').Device} Device */
/** @typedef {{ readonly name: string, readonly rate: number | null, readonly total: number }} Source */

const sourceNames = /** @type {Readonly<Record<string, string>>} */ ({
  mqtt: 'MQTT',
  serial: 'serial ports',
  modbus: 'Modbus',
  api: 'this API and the command line',
});

/** @returns {import('./dom.js').Row<Source>} */
function sourceRow() {
  const name = element('th', { scope: 'row' });
  const rate = element('td', { class: 'number' });
  const total = element('td', { class: 'number' });
  return {
    node: element('tr', {}, name, rate, total),
    update(source) {
      setText(name, sourceNames[source.name] ?? source.name);
      setText(rate, source.rate === null ? '…' : `${rateText(source.rate)}/s`);
      setText(total, countText(source.total));
    },
  };
}

/** @returns {import('./dom.js').Row<Device>} */
function deviceRow() {
  const state = badge();
  const name = element('strong');
  const place = element('span', { class: 'place' });
  const detail = element('p', { class: 'quiet' });
  return {
    node: element('li', {}, element('div', { class: 'line' }, state, name, place), detail),
    update(device) {
      setBadge(state, device.tone, device.state);
      setText(name, device.name);
      setText(place, `${device.kind} ${device.place}`);
      setText(detail, device.detail);
    },
  };
}

/** The card, and how it follows frames. */
export function arrives() {
  const body = element('tbody');
  const none = element('p', { class: 'quiet' }, 'Nothing has come in this run yet.');
  const table = element(
    'table',
    {},
    element('caption', {}, 'Records made durable, by where they came from'),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('th', { scope: 'col' }, 'From'),
        element('th', { scope: 'col', class: 'number' }, 'Rate'),
        element('th', { scope: 'col', class: 'number' }, 'In this run'),
      ),
    ),
    body,
  );
  const ports = element('ul', { class: 'devices', 'aria-label': 'Ports, buses and brokers' });
  /** @type {Rows<Source>} */
  const sources = new Rows(body, ({ name }) => name, sourceRow);
  /** @type {Rows<Device>} */
  const portRows = new Rows(ports, ({ key }) => key, deviceRow);
  return {
    node: card(
      'What arrives',
      'arrives',
      element('div', { class: 'beside' }, element('div', {}, none, table), ports),
    ),
    /** @param {PageFrame} frame @param {(name: string) => number | null} rateOf */
    update({ accepted, status, nowMs }, rateOf) {
      const list = Object.entries(accepted).map(([name, total]) => ({ name, total, rate: rateOf(name) }));
      sources.show(list.toSorted((one, other) => other.total - one.total));
      none.hidden = list.length > 0;
      table.hidden = list.length === 0;
      portRows.show(devices(status, nowMs));
    },
  };
}
