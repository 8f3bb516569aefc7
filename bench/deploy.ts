import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { arch } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type RunningGateway, startGateway } from '../test/support/gateway-process.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { mostRssOfProcess, rssOfProcess } from './process-memory.ts';
import { publishing } from './publishing.ts';
import { median, type Result, rounded } from './result.ts';

const checkout = join(import.meta.dirname, '..');
const dist = join(checkout, 'dist');
/** What the last runs of the tests have left: the facts of the emulated device, and a report in JSON of each run. */
const testOutput = join(checkout, 'test-output');
const MESSAGES_PER_SECOND = 100;
/** Without detection nothing grows in that time, and with it little. */
const LOAD_MS = 30_000;

/**
 * What is handed out: sizes of packages and image, start time and memory of the packaged daemon on this machine, and what the last run of
 * `test:deploy` has found on the emulated device.
 */
export async function deployBenchmark({ repeat }: { readonly repeat: number }): Promise<Result> {
  const debian = arch() === 'x64' ? 'amd64' : arch();
  const files = (await readdir(dist).catch(() => [])).filter((name) => /\.(?:deb|img\.xz)$/.test(name));
  const native = files.find((name) => name.endsWith(`_${debian}.deb`));
  if (native === undefined)
    throw new Error(`there is no package for this machine: npm run deb -- --arch ${debian}`);
  const sizes = await Promise.all(
    files.map(async (name) => [`${name}, MB`, rounded((await stat(join(dist, name))).size / 1e6)] as const),
  );
  const daemon = await measuredDaemon(join(dist, native), repeat);
  const figures = { ...Object.fromEntries(sizes), ...daemon, ...(await ofTests()) };
  const summary = Object.entries(figures).map(([name, value]) => `${name}: ${value}`);
  return { summary: `goal -, got ${summary.join('; ')}`, broken: [], figures };
}

async function measuredDaemon(file: string, repeat: number): Promise<Readonly<Record<string, number>>> {
  await using folder = await temporaryFolder();
  const tree = join(folder.path, 'tree');
  await promisify(execFile)('dpkg-deb', ['--extract', file, tree]);
  const program = [join(tree, 'usr/lib/headwater/bin/headwater')];
  const dataDir = join(folder.path, 'data');
  const start = (): Promise<RunningGateway> => startGateway({ dataDir, program });
  const startSeconds: number[] = [];
  const freshMb: number[] = [];
  for (let run = 0; run <= repeat; run += 1) {
    const beganMs = performance.now();
    await using gateway = await start();
    // The first start compiles, and makes a certificate.
    if (run > 0) startSeconds.push((performance.now() - beganMs) / 1000);
    freshMb.push(await rssOfProcess(gateway.pid));
    await gateway.kill('SIGTERM');
  }
  await using gateway = await start();
  const load = await publishing(gateway.mqtt, MESSAGES_PER_SECOND);
  await sleep(LOAD_MS);
  const loadedMb = await rssOfProcess(gateway.pid);
  await load.stop();
  return {
    'packaged daemon, seconds until it takes readings': rounded(median(startSeconds)),
    'packaged daemon, RSS after its start, MB': rounded(median(freshMb)),
    [`packaged daemon, RSS at ${MESSAGES_PER_SECOND} readings/s, MB`]: rounded(loadedMb),
    'packaged daemon, largest RSS, MB': rounded(await mostRssOfProcess(gateway.pid)),
  };
}

/** What is used of a report as vitest writes it. */
interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

async function ofTests(): Promise<Readonly<Record<string, number>>> {
  const names = (await readdir(testOutput).catch(() => [])).filter((name) =>
    /^test-deploy.*\.json$/.test(name),
  );
  const reports = await Promise.all(names.map((name) => readJson<TestReport>(join(testOutput, name))));
  const files = reports.flatMap(({ testResults }) => testResults);
  const ofFiles = files.flatMap(({ name, startTime, endTime, assertionResults }) => {
    const count = (status: string): number => assertionResults.filter((one) => one.status === status).length;
    const file = basename(name);
    return [
      [`${file}, passed`, count('passed')],
      [`${file}, failed`, count('failed')],
      [`${file}, seconds`, Math.round((endTime - startTime) / 1000)],
    ] as const;
  });
  const facts = await readJson<Facts>(join(testOutput, 'deploy/boot.json')).catch(() => null);
  return { ...Object.fromEntries(ofFiles), ...(facts !== null && ofBoot(facts)) };
}

/** What the boot test has found out. */
interface Facts {
  readonly secondsToMqtt: number;
  readonly secondsToMqttAfterCut: number;
  readonly rssKib: number;
  readonly acknowledged: number;
}

const ofBoot = (facts: Facts): Readonly<Record<string, number>> => ({
  'emulated first boot, seconds until MQTT answers': Math.round(facts.secondsToMqtt),
  'emulated boot after a power cut, seconds until MQTT answers': Math.round(facts.secondsToMqttAfterCut),
  'emulated device, RSS of the daemon, MB': rounded((facts.rssKib * 1024) / 1e6),
  'emulated device, readings acknowledged before the cut and found after it': facts.acknowledged,
});

const readJson = async <Content>(path: string): Promise<Content> =>
  JSON.parse(await readFile(path, 'utf8')) as Content;
