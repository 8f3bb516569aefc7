import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, glob, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '../src/core/limits.ts';
import type { StatusReport } from '../src/edge/status.ts';
import { type Cluster, startCluster } from '../test/kafka/cluster.ts';
import { kafkaTools } from '../test/kafka/tools.ts';
import { until } from '../test/kafka/until.ts';
import { startGateway } from '../test/support/gateway-process.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { deviceOf, makeBacklog, PARTITIONS, READING_BYTES, reading, SEALED_FILE_BYTES } from './backlog.ts';
import { cpuSecondsOf, cpuSecondsOfEndedChildren } from './process-cpu.ts';
import { median, type Result, rounded } from './result.ts';

/** As many as stay in the journal when the gateway starts: two files of a former run would be sealed. */
const JOURNAL_RECORDS_MAX = 500_000;
const DRAIN_MS_MAX = 600_000;
/** What issue and design ask for, from segments: so many times kcat's. */
const GOAL_SPEED = 1.5;
const GOAL_EFFICIENCY = 4;

const NAMES = ['kcat', 'headwater from segments', 'headwater from the journal'] as const;
type Name = (typeof NAMES)[number];

interface Measured {
  readonly recordsPerSecond: number;
  readonly cpuMicrosPerRecord: number;
  /** Of record batches as they are sent and as the broker stores them. */
  readonly linkBytesPerRecord: number;
}

/**
 * A backlog of 149-byte readings into one real broker: by kcat (idempotent, zstd) and by the gateway, once from sealed
 * segments and once from the journal.
 */
export async function mirrorBenchmark(options: {
  readonly records: number;
  readonly repeat: number;
}): Promise<Result> {
  await using folder = await temporaryFolder();
  console.log(`making a backlog of ${options.records} readings of ${READING_BYTES} bytes`);
  const { records, repeat } = options;
  const inJournal = Math.min(records, JOURNAL_RECORDS_MAX);
  const sealed = join(folder.path, 'sealed');
  const sealedShare = await makeBacklog(sealed, records, SEALED_FILE_BYTES);
  console.log(`${Math.round(100 * sealedShare)} % of them are sealed`);
  const unsealed = join(folder.path, 'unsealed');
  await makeBacklog(unsealed, inJournal, limits.journalFileBytes);
  const lines = join(folder.path, 'readings.txt');
  await writeFile(lines, textOf(records));
  const cluster = await startCluster({ brokers: 1 });
  const broken: string[] = [];
  try {
    const runs: { readonly name: Name; readonly measured: Measured }[] = [];
    for (let run = 1; run <= repeat; run++) {
      const drain = async (backlog: string, name: string, count: number): Promise<Measured> => {
        const dataDir = join(folder.path, `${name}-${run}`);
        await cp(backlog, dataDir, { recursive: true });
        const measured = await measureGateway(cluster, dataDir, `${name}-${run}`, count, broken);
        await rm(dataDir, { recursive: true });
        return measured;
      };
      const measure: Readonly<Record<Name, () => Promise<Measured>>> = {
        kcat: () => measureKcat(cluster, lines, `kcat-${run}`, records),
        'headwater from segments': () => drain(sealed, 'sealed', records),
        'headwater from the journal': () => drain(unsealed, 'unsealed', inJournal),
      };
      for (const name of NAMES) {
        const measured = await measure[name]();
        runs.push({ name, measured });
        console.log(`${run}/${repeat} ${name.padEnd(26)} ${described(measured)}`);
      }
    }
    return resultOf(runs, broken);
  } finally {
    await cluster.close();
  }
}

function resultOf(
  runs: readonly { readonly name: Name; readonly measured: Measured }[],
  broken: readonly string[],
): Result {
  const medians = [...Map.groupBy(runs, ({ name }) => name)].map(([name, group]) => {
    const of = (what: keyof Measured): number => median(group.map(({ measured }) => measured[what]));
    const measured = {
      recordsPerSecond: of('recordsPerSecond'),
      cpuMicrosPerRecord: of('cpuMicrosPerRecord'),
      linkBytesPerRecord: of('linkBytesPerRecord'),
    };
    return [name, measured] as const;
  });
  const figures = medians.flatMap(([name, measured]) => [
    [`${name}, records per second`, Math.round(measured.recordsPerSecond)] as const,
    [`${name}, CPU microseconds per record`, rounded(measured.cpuMicrosPerRecord)] as const,
    [`${name}, link bytes per reading`, rounded(measured.linkBytesPerRecord)] as const,
  ]);
  const [kcat, segments] = NAMES.map((name) => new Map(medians).get(name));
  const speed = (segments?.recordsPerSecond ?? 0) / (kcat?.recordsPerSecond ?? 0);
  const efficiency = (kcat?.cpuMicrosPerRecord ?? 0) / (segments?.cpuMicrosPerRecord ?? 0);
  const got = medians.map(([name, measured]) => `${name} ${described(measured)}`).join('; ');
  for (const promise of broken) console.error(`BROKEN: ${promise}`);
  return {
    summary:
      `goal ${GOAL_SPEED} times kcat's records/s and ${GOAL_EFFICIENCY} times its records per CPU second, ` +
      `got ${rounded(speed)} and ${rounded(efficiency)}: ${got}`,
    broken,
    figures: Object.fromEntries(figures),
  };
}

const described = ({ recordsPerSecond, cpuMicrosPerRecord, linkBytesPerRecord }: Measured): string =>
  `${Math.round(recordsPerSecond)} records/s at ${rounded(cpuMicrosPerRecord)} µs CPU each, ` +
  `${rounded(linkBytesPerRecord)} bytes on the link for a reading of ${READING_BYTES}`;

function* textOf(records: number): Generator<string> {
  for (let index = 0; index < records; index++) yield `${deviceOf(index)}\t${reading(index)}\n`;
}

async function measureGateway(
  cluster: Cluster,
  dataDir: string,
  name: string,
  records: number,
  broken: string[],
): Promise<Measured> {
  const set = [`forwarder.brokers=[${cluster.bootstrap.join(',')}]`, `gateway.name=${name}`];
  await using gateway = await startGateway({ dataDir, set });
  const forwarder = async (): Promise<NonNullable<StatusReport['forwarder']>> => {
    const report = (await (await gateway.api('/api/status')).json()) as StatusReport;
    if (report.forwarder === null) throw new Error('the gateway has no forwarder');
    return report.forwarder;
  };
  // From the first acknowledgement on, so that starting and creating topics are not in it.
  const first = await until('the first records have arrived', DRAIN_MS_MAX, async () => {
    const { recordsAcknowledged } = await forwarder();
    return recordsAcknowledged > 0 ? recordsAcknowledged : undefined;
  });
  const before = { ms: performance.now(), cpu: cpuSecondsOf(gateway.pid) };
  await until(
    'all records have arrived',
    DRAIN_MS_MAX,
    async () => (await forwarder()).lagRecords === 0 || undefined,
  );
  const seconds = (performance.now() - before.ms) / 1000;
  const cpuSeconds = cpuSecondsOf(gateway.pid) - before.cpu;
  const { recordsAcknowledged } = await forwarder();
  if (recordsAcknowledged !== records)
    broken.push(`${recordsAcknowledged} records of ${records} were acknowledged`);
  return {
    recordsPerSecond: (recordsAcknowledged - first) / seconds,
    cpuMicrosPerRecord: (cpuSeconds / (recordsAcknowledged - first)) * 1e6,
    linkBytesPerRecord: (await storedBytes(cluster, `${name}.readings`)) / records,
  };
}

async function measureKcat(
  cluster: Cluster,
  lines: string,
  topic: string,
  records: number,
): Promise<Measured> {
  await kafkaTools(cluster.bootstrap).createTopic(topic, { partitions: PARTITIONS });
  const settings = [
    'enable.idempotence=true',
    'compression.codec=zstd',
    'linger.ms=100',
    'batch.size=1000000',
  ];
  const parameters = ['-P', '-b', cluster.bootstrap.join(','), '-t', topic, '-K', '\t', '-l', lines];
  const before = { ms: performance.now(), cpu: cpuSecondsOfEndedChildren() };
  const child = spawn('kcat', [...parameters, ...settings.flatMap((setting) => ['-X', setting])], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`kcat ended with ${code}`);
  const seconds = (performance.now() - before.ms) / 1000;
  return {
    recordsPerSecond: records / seconds,
    cpuMicrosPerRecord: ((cpuSecondsOfEndedChildren() - before.cpu) / records) * 1e6,
    linkBytesPerRecord: (await storedBytes(cluster, topic)) / records,
  };
}

/** The broker keeps batches as they came: its log files are what went over the link, but for requests around them. */
async function storedBytes(cluster: Cluster, topic: string): Promise<number> {
  let bytes = 0;
  for await (const file of glob(join(cluster.folder, 'node-1', 'data', `${topic}-*`, '*.log')))
    bytes += (await stat(file)).size;
  return bytes;
}
