import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../core/clock.ts';
import { tlsOptions } from '../../forwarder/kafka/cluster-access.ts';
import { tlsTrouble } from '../../forwarder/kafka/tls-trouble.ts';
import type { UpstreamAccessRead } from '../../ingest/mqtt-source/mqtt-source.ts';
import { readSecret, readTls } from '../client-credentials.ts';
import { isLoopback } from '../config/address.ts';
import type { MqttSourceConfig } from '../config/source-section.ts';
import { openFileWarnings } from '../pem-files.ts';

export interface Surroundings {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Reads what it takes to get into a broker, as it is now, and says everything that is wrong with it at once. */
export async function readUpstreamAccess(
  { name, url, username, password: source, tls: config }: MqttSourceConfig,
  { clock, environment }: Surroundings,
): Promise<UpstreamAccessRead> {
  const problems: string[] = [];
  const { host, port, isTls } = url;
  const names = { section: `mqtt.sources.${name}.tls`, address: `mqtt.sources.${name}.url` };
  const tls = isTls ? await readTls(config, names, problems) : null;
  const password = source && (await readSecret(source, environment, problems));
  if (problems.length > 0) return { ok: false, problems };
  const open = (): Socket =>
    tls === null ? connectTcp({ host, port }) : connectTls({ host, port, ...tlsOptions(tls, host) });
  return {
    ok: true,
    access: {
      username,
      password,
      open,
      isTls,
      tlsTrouble: (error) => tlsTrouble(error, host, { tls, login: null, nowMs: clock.wallMs() }),
    },
  };
}

/** What the user should know about the access before it is used: what is wrong, and what is unwise. */
export async function upstreamWarnings(
  config: MqttSourceConfig,
  surroundings: Surroundings,
): Promise<readonly string[]> {
  const { name, url, password, tls } = config;
  const section = `mqtt.sources.${name}`;
  const read = await readUpstreamAccess(config, surroundings);
  const warnings = read.ok ? [] : [...read.problems];
  if (password !== undefined && !url.isTls && !isLoopback(url.host))
    warnings.push(`${section}: mqtt:// sends the password for everybody on the way to read; use mqtts://`);
  const secrets = [
    ...(password?.kind === 'file' ? [{ setting: password.setting, path: password.name }] : []),
    ...(tls.keyFile === undefined ? [] : [{ setting: `${section}.tls.keyFile`, path: tls.keyFile }]),
  ];
  return [...warnings, ...(await openFileWarnings(secrets))];
}
