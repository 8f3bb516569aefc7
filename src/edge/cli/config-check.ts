import { resolve } from 'node:path';
import { OperatingError } from '../../core/errors.ts';
import { nodeClock } from '../../platform/node-clock.ts';
import { nodeRandom } from '../../platform/node-random.ts';
import { examineCertificates, listenerKeyFiles } from '../certificate-examination.ts';
import { certificateFindings } from '../certificate-findings.ts';
import { accessReader, accessWarnings } from '../cluster-credentials.ts';
import { isLoopback, parseAddress } from '../config/address.ts';
import { type ConfigSources, mergedSettings, readConfig } from '../config/read-config.ts';
import type { Config } from '../config/schema.ts';
import { type SettingProblem, valueAt } from '../config/setting-problems.ts';
import { upstreamWarnings } from '../mqtt-sources/upstream-access.ts';
import { openFileWarnings } from '../pem-files.ts';
import { nobodyMayLogIn } from '../users/mqtt-users.ts';
import { holdsUsers } from '../users/stopped-users.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/**
 * `headwater config check`: all that would keep a gateway from starting with this configuration, and warnings of what is
 * unwise or would fail later. Needs no running gateway.
 * @throws OperatingError `bad-configuration` with every problem, one a line
 */
export async function checkConfig(sources: ConfigSources, terminal: Terminal): Promise<ExitCode> {
  const result = readConfig(sources, portsForNobody(sources));
  if ('problems' in result) throw new OperatingError('bad-configuration', result.problems.join('\n'));
  for (const warning of await warningsOf(result.config)) await terminal.output.write(`warning: ${warning}\n`);
  const name = sources.file?.name ?? 'all defaults, no ./headwater.yaml here';
  await terminal.output.write(`the configuration is fine (${name})\n`);
  return exitCodes.ok;
}

/** Ports beyond loopback while there are no users. What else is wrong with the settings does not matter for that. */
function portsForNobody(sources: ConfigSources): readonly SettingProblem[] {
  const { tree } = mergedSettings(sources);
  const setting = (name: string): unknown => valueAt(tree, name.split('.'));
  const dataDir = setting('data.dir');
  const isOpen = setting('mqtt.anonymous') === true;
  if (isOpen || holdsUsers(resolve(sources.workingDirectory, typeof dataDir === 'string' ? dataDir : 'data')))
    return [];
  return ['mqtt.listen', 'mqtt.tls.listen', 'mqtt.ws.listen', 'mqtt.wss.listen'].flatMap((name) => {
    const listen = parseAddress(String(setting(name) ?? ''));
    if (listen === undefined || isLoopback(listen.host)) return [];
    return [{ path: name.split('.'), message: nobodyMayLogIn(listen) }];
  });
}

/** What a gateway with this configuration would warn of, as far as files and environment tell. */
async function warningsOf(config: Config): Promise<readonly string[]> {
  const { forwarder, mqtt } = config;
  const surroundings = { clock: nodeClock, random: nodeRandom, environment: process.env };
  const ofSources = await Promise.all(mqtt.sources.map((source) => upstreamWarnings(source, surroundings)));
  return [
    ...(await certificateWarnings(config)),
    ...ofSources.flat(),
    ...(await accessWarnings(forwarder, accessReader(forwarder, surroundings))),
  ];
}

/** What is wrong with certificates, or will be soon. */
async function certificateWarnings(config: Config): Promise<readonly string[]> {
  const findings = certificateFindings(await examineCertificates(config), nodeClock.wallMs());
  return [
    ...findings.filter(({ level }) => level !== 'ok').map(({ text }) => text),
    ...(await openFileWarnings(listenerKeyFiles(config))),
  ];
}
