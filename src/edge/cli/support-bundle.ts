import { readFileSync } from 'node:fs';
import { arch, release, type } from 'node:os';
import { join, resolve } from 'node:path';
import { isOperatingError, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Finding } from '../../forwarder/kafka/kafka-findings.ts';
import { nodeClock } from '../../platform/node-clock.ts';
import { readServiceJournal } from '../../platform/service-journal.ts';
import { claimCodePath } from '../admin/access/claim-code.ts';
import { ADMIN_TOKEN_FILE } from '../admin/admin-token.ts';
import type { ConfigSources } from '../config/read-config.ts';
import { soundPart } from '../config/sound-part.ts';
import type { Machine } from '../machine.ts';
import { version } from '../version.ts';
import type { AdminClient } from './admin-client.ts';
import { misplacedSecrets, shownSoundPart } from './config-show.ts';
import { allFindings } from './doctor.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { writeSecretFile } from './secret-file.ts';
import type { Terminal } from './terminal.ts';

export interface SupportRequest {
  readonly sources: ConfigSources;
  readonly machine: Pick<Machine, 'serialDevices'>;
  /** @throws OperatingError `bad-configuration` */
  readonly dataDir: () => Promise<string>;
  /** @throws OperatingError `gateway-not-running` */
  readonly gateway: () => Promise<AdminClient>;
  /** Where the bundle goes, from the working directory. */
  readonly file: string;
  readonly force: boolean;
}

/** A part that could not be had, and why. */
interface Unavailable {
  readonly unavailable: string;
}

/**
 * `headwater support-bundle`: one file with what somebody needs who is asked for help, and no secrets. What cannot be had, such as
 * the status while no gateway runs, says why.
 * @throws OperatingError `bad-input` if the file is there already, `output-failed`, `data-folder-unusable`
 */
export async function supportBundle(request: SupportRequest, terminal: Terminal): Promise<ExitCode> {
  const { sources, machine, dataDir, gateway } = request;
  const path = resolve(terminal.workingDirectory, request.file);
  const bundle = {
    format: 'headwater-support',
    version: 1,
    madeAt: new Date(nodeClock.wallMs()).toISOString(),
    versions: { headwater: version, node: process.version, system: `${type()} ${release()} ${arch()}` },
    configuration: await part(async () => shownSoundPart(sources)),
    doctor: await part(async () => await findings(sources, await dataDir(), machine)),
    status: await part(async () => await (await gateway()).json('GET', '/api/status')),
    metrics: await part(async () => await metricsOf(await gateway())),
    log: {
      newestWarnings: await part(async () => await (await gateway()).json('GET', '/api/service-log')),
      journal: await part(readServiceJournal),
    },
  };
  const folder = await part(dataDir);
  const secrets = [...misplacedSecrets(sources), ...(typeof folder === 'string' ? secretsOf(folder) : [])];
  await writeSecretFile(path, `${JSON.stringify(bundle, withoutSecrets(secrets), 2)}\n`, request.force);
  await terminal.output.write(
    `${path} holds versions, configuration, findings, status, metrics and service log; no passwords and no keys\n` +
      'names of devices, topics, brokers and files are in it: look through it before you send it\n',
  );
  return exitCodes.ok;
}

/** Those of what is sound in the configuration; what is wrong with it stands beside them. */
async function findings(
  sources: ConfigSources,
  dataDir: string,
  machine: Pick<Machine, 'serialDevices'>,
): Promise<readonly Finding[]> {
  const sound = soundPart(sources);
  if (sound === null)
    throw new OperatingError('bad-configuration', 'the configuration is wrong as a whole: see its problems');
  const { config } = sound;
  return await allFindings({ ...config, data: { ...config.data, dir: dataDir } }, machine);
}

async function part<Value>(get: () => Promise<Value>): Promise<Value | Unavailable> {
  try {
    return await get();
  } catch (error) {
    if (!isOperatingError(error)) throw error;
    return { unavailable: error.message };
  }
}

async function metricsOf(client: AdminClient): Promise<readonly string[]> {
  const stopping = new AbortController();
  const lines: string[] = [];
  let bytes = 0;
  for await (const line of client.lines('/metrics', stopping.signal)) {
    bytes += line.length + 1;
    if (bytes > limits.supportMetricsBytesMax) {
      lines.push('# there are more metrics, which are left out');
      break;
    }
    lines.push(line.toString('utf8'));
  }
  stopping.abort();
  return lines;
}

/** Those that open the admin port: nothing prints them, and nothing that is sent away is to depend on that. */
function secretsOf(dataDir: string): readonly string[] {
  return [join(dataDir, ADMIN_TOKEN_FILE), claimCodePath(dataDir)].flatMap((path) => {
    try {
      return [readFileSync(path, 'utf8').trim()];
    } catch {
      return [];
    }
  });
}

/** Takes secrets out of every text, whoever has quoted them in an error. */
const withoutSecrets =
  (secrets: readonly string[]) =>
  (_: string, value: unknown): unknown =>
    typeof value === 'string'
      ? secrets
          .filter((secret) => secret !== '')
          .reduce((text, secret) => text.replaceAll(secret, '(removed)'), value)
      : value;
