import { isIP } from 'node:net';
import type { Finding } from '../forwarder/kafka/kafka-findings.ts';
import type { NameAnswer } from '../platform/name-lookup.ts';
import type { Config } from './config/schema.ts';

/** The name of a host that the gateway, or the clock of this machine, depends on. */
export interface NeededName {
  readonly host: string;
  /** What names it, such as `forwarder.brokers`. */
  readonly settings: readonly string[];
  /** Without a time server a gateway works all the same. */
  readonly isForTime: boolean;
}

/** All names that a configuration and the time servers need, each once; addresses are none. Pure. */
export function neededNames(
  { forwarder, mqtt, modbus }: Pick<Config, 'forwarder' | 'mqtt' | 'modbus'>,
  timeServers: readonly string[],
): readonly NeededName[] {
  const all = [
    ...forwarder.brokers.map(({ host }) => ({ host, setting: 'forwarder.brokers', isForTime: false })),
    ...mqtt.sources.map(({ name, url: { host } }) => ({
      host,
      setting: `mqtt.sources.${name}.url`,
      isForTime: false,
    })),
    ...modbus.flatMap(({ settings }) =>
      settings.kind === 'tcp' ? [{ host: settings.host, setting: 'modbus.tcp', isForTime: false }] : [],
    ),
    ...timeServers.map((host) => ({ host, setting: 'the time servers', isForTime: true })),
  ].filter(({ host }) => isIP(host) === 0);
  return [...Map.groupBy(all, ({ host }) => host.toLowerCase()).values()].map((same) => ({
    host: same[0]?.host ?? '',
    settings: [...new Set(same.map(({ setting }) => setting))],
    isForTime: same.every(({ isForTime }) => isForTime),
  }));
}

/** What was answered for names, a line each. Pure. */
export function nameFindings(
  answers: readonly (NeededName & { readonly answer: NameAnswer })[],
): readonly Finding[] {
  return answers.map(({ host, settings, isForTime, answer }) => {
    const name = `${host} (${settings.join(', ')})`;
    if (typeof answer !== 'string')
      return { level: 'ok', about: 'dns', text: `${name} is ${answer.join(', ')}` };
    const text =
      answer === 'unknown'
        ? `no DNS server knows ${name}: correct the name, or add it to DNS or /etc/hosts`
        : `no DNS server answers for ${name}: look at the network of this device, and at the servers in /etc/resolv.conf`;
    return { level: isForTime ? 'warning' : 'wrong', about: 'dns', text };
  });
}
