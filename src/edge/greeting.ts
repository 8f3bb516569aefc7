import { atLeastOnceNote } from '../forwarder/progress/status.ts';
import { busPlace } from '../ingest/modbus/bus.ts';
import { wishText } from '../ingest/wired/port-selection.ts';
import { formatAddress } from './config/address.ts';
import type { Config } from './config/schema.ts';
import { adminUrl, listenerRows, tlsRow } from './listeners/listener-rows.ts';
import type { TlsStatus } from './listeners/tls-status.ts';
import type { StatusReport } from './status.ts';
import { version } from './version.ts';

/** What is told at the start. */
export interface Greeting {
  readonly config: Config;
  readonly addresses: StatusReport['addresses'];
  readonly dataDir: string;
  /** Of the MQTT listeners with TLS. */
  readonly certificates: TlsStatus | null;
  /** Of the page and the API; null for plain HTTP. */
  readonly adminTls: TlsStatus | null;
  /** What sets the first password of the page; null once there is one. */
  readonly claimCode: string | null;
}

/** What a gateway that accepts readings tells its user, one line each: where it listens, what it reads, and what becomes of it. */
export function greeting(given: Greeting): readonly string[] {
  const { addresses, dataDir, certificates, adminTls, claimCode } = given;
  const url = adminUrl(addresses.admin, adminTls !== null);
  const { gateway, mqtt, serial, modbus, forwarder } = given.config;
  const { tls, sasl, delivery } = forwarder;
  const brokers = forwarder.brokers.map(formatAddress).join(', ');
  const how = `${tls ? ' by TLS' : ''}${sasl ? `, login by ${sasl.mechanism}` : ''}`;
  const note = delivery === 'at-least-once' ? `; ${atLeastOnceNote}` : '';
  return [
    `headwater ${version}, gateway ${gateway.name}`,
    ...listenerRows(addresses).map((row) => `MQTT   ${row}`),
    ...(certificates === null ? [] : [`TLS    ${tlsRow(certificates)}`]),
    ...mqtt.sources.map(({ name, url, topics }) => `broker ${name}: ${url.text}, ${topics.join(' ')}`),
    ...serial.map(({ name, wish, baud }) => `serial ${name}: ${wishText(wish)}, ${baud} baud`),
    ...modbus.map(
      ({ name, settings, units }) =>
        `modbus ${name}: ${busPlace(settings)}, units ${units.map((unit) => `${unit.unit} ${unit.name}`).join(', ')}`,
    ),
    `admin  ${url}`,
    ...(adminTls === null ? [] : [`TLS    ${tlsRow(adminTls)}`]),
    ...(claimCode === null ? [] : [`claim  ${url}/#claim=${claimCode} sets the password of the page`]),
    `data   ${dataDir}`,
    brokers === ''
      ? 'storing; no cluster is configured: set forwarder.brokers'
      : `mirroring to ${brokers}${how}${note}`,
  ];
}
