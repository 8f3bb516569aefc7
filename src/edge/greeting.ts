import { atLeastOnceNote } from '../forwarder/progress/status.ts';
import { busPlace } from '../ingest/modbus/bus.ts';
import { wishText } from '../ingest/wired/port-selection.ts';
import { formatAddress } from './config/address.ts';
import type { Config } from './config/schema.ts';
import { listenerRows, tlsRow } from './listeners/listener-rows.ts';
import type { TlsStatus } from './listeners/tls-credentials.ts';
import type { StatusReport } from './status.ts';
import { version } from './version.ts';

/** What a gateway that accepts readings tells its user, one line each: where it listens, what it reads, and what becomes of it. */
export function greeting(
  { gateway, mqtt, serial, modbus, forwarder }: Config,
  addresses: StatusReport['addresses'],
  dataDir: string,
  certificates: TlsStatus | null,
): readonly string[] {
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
    `admin  http://${addresses.admin}`,
    `data   ${dataDir}`,
    brokers === ''
      ? 'storing; no cluster is configured: set forwarder.brokers'
      : `mirroring to ${brokers}${how}${note}`,
  ];
}
