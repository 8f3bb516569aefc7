import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Producer, stringSerializers } from '@platformatic/kafka';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Cluster, type ClusterOptions, startCluster } from './cluster.ts';
import { fetchJars, serverJars } from './jars.ts';
import { isOpen } from './ports.ts';
import { kafkaTools } from './tools.ts';
import { until } from './until.ts';

/** Measured 2 to 4 s; the rest is for a busy machine. */
const RESTART_MS_MAX = 20_000;

const clusters: Cluster[] = [];
const folders: string[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(clusters.splice(0).map((cluster) => cluster.close()));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

describe('a cluster of one broker', () => {
  test('keeps its topics through a SIGKILL and a clean stop, and serves again soon', async () => {
    const cluster = await started({ brokers: 1 });
    const tools = kafkaTools(cluster.bootstrap);
    await tools.createTopic('edge.readings', { partitions: 2 });

    await cluster.kill(1);
    expect(await openPorts(cluster)).toEqual([false]);
    const since = performance.now();
    await cluster.restart(1);
    expect(performance.now() - since).toBeLessThan(RESTART_MS_MAX);
    expect(await tools.endOffsets('edge.readings')).toEqual([0, 0]);

    await cluster.stopBroker(1);
    expect(await openPorts(cluster)).toEqual([false]);
    await cluster.restart(1);
    expect(await tools.describeTopic('edge.readings')).toEqual([
      { partition: 0, leader: 1, replicas: [1], inSyncReplicas: [1] },
      { partition: 1, leader: 1, replicas: [1], inSyncReplicas: [1] },
    ]);
  });

  test('leaves no process, no open port and no folder when it is closed', async () => {
    const cluster = await started({ brokers: 1 });
    expect(await processesOf(cluster.folder)).toBe(1);
    await cluster.close();
    await cluster.close();
    expect(await processesOf(cluster.folder)).toBe(0);
    expect(await openPorts(cluster)).toEqual([false]);
    expect(existsSync(cluster.folder)).toBe(false);
  });

  test('says what the broker logged if it does not start', async () => {
    const properties = { 'log.segment.bytes': 'plenty' };
    await expect(startCluster({ brokers: 1, properties })).rejects.toThrow(/plenty/);
  });

  test('refuses to start a broker that runs, and to end one that does not', async () => {
    const cluster = await started({ brokers: 1 });
    await expect(cluster.restart(1)).rejects.toThrow('runs already');
    await cluster.kill(1);
    await expect(cluster.kill(1)).rejects.toThrow('is not running');
    await expect(cluster.kill(2)).rejects.toThrow('no broker 2');
  });

  test('goes with the process that started it, also when that is killed or crashes', async () => {
    for (const end of ['process.kill(process.pid, "SIGKILL")', 'throw new Error("crash on purpose")']) {
      const script = `
        const { startCluster } = await import(${JSON.stringify(join(import.meta.dirname, 'cluster.ts'))});
        const { folder } = await startCluster({ brokers: 1 });
        process.stdout.write(folder);
        ${end}`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const [folder] = await Promise.all([text(child.stdout), once(child, 'exit')]);
      folders.push(folder);
      expect(folder).not.toBe('');
      await until('the broker is gone', 10_000, async () => (await processesOf(folder)) === 0 || undefined);
      expect(existsSync(folder), 'only a handler can delete the folder').toBe(end.includes('SIGKILL'));
    }
  });
});

describe('a cluster of three brokers', () => {
  test('serves while one is dead, and takes it back', async () => {
    const cluster = await started({ brokers: 3 });
    const tools = kafkaTools(cluster.bootstrap);
    await tools.createTopic('readings', { partitions: 3 });
    const before = await tools.describeTopic('readings');
    expect(before.map(({ replicas }) => replicas.toSorted())).toEqual(Array(3).fill([1, 2, 3]));

    await cluster.kill(2);
    expect(await openPorts(cluster)).toEqual([true, false, true]);
    await until('the others lead all partitions', 30_000, async () => {
      const partitions = await tools.describeTopic('readings');
      return partitions.every(({ leader }) => leader === 1 || leader === 3) || undefined;
    });

    await cluster.restart(2);
    await until('all replicas are in sync', 30_000, async () => {
      const partitions = await tools.describeTopic('readings');
      return partitions.every(({ inSyncReplicas }) => inSyncReplicas.length === 3) || undefined;
    });
  });
});

describe("Kafka's tools", () => {
  test('show every byte of a record, and aborted ones only to who asks for uncommitted records', async () => {
    const cluster = await started({ brokers: 1 });
    const tools = kafkaTools(cluster.bootstrap);
    await tools.createTopic('odd', { partitions: 2 });
    const values = ['plain', '\ttab, \\x41 \nünd\u0001'];
    await produce(cluster, 'odd', values, 'commit');
    await produce(cluster, 'odd', ['aborted'], 'abort');

    const committed = await tools.consume('odd', { readCommitted: true, partition: 1 });
    const record = {
      partition: 1,
      timestampMs: 1_700_000_000_000,
      headers: [{ name: 'mqtt.topic', value: Buffer.from('a/b:c,d') }],
      key: null,
    };
    expect(committed).toEqual(
      values.map((value, offset) => ({ ...record, offset, value: Buffer.from(value) })),
    );
    const all = await tools.consume('odd', { readCommitted: false, maxMessages: 3 });
    expect(all.map(({ value }) => String(value))).toEqual([...values, 'aborted']);
    // Three records and two markers.
    expect(await tools.endOffsets('odd')).toEqual([0, 5]);
  });

  test('reject with what they said', async () => {
    const cluster = await started({ brokers: 1 });
    const tools = kafkaTools(cluster.bootstrap);
    await expect(tools.createTopic('no/topic')).rejects.toThrow(/illegal|invalid/i);
    await expect(tools.endOffsets('nowhere')).rejects.toThrow('Could not match any topic-partitions');
  });
});

describe('the jars', () => {
  test('are fetched anew when an earlier fetch was interrupted or the pom has changed, else once', async () => {
    const folder = await temporaryFolder();
    const cache = join(folder, 'cache');
    const pom = join(folder, 'pom.xml');
    await writeFile(pom, 'one');
    await useMaven(folder, 'kill -9 $$');
    await expect(fetchJars(pom, cache)).rejects.toThrow('Maven could not fetch');
    expect(await readdir(cache)).toEqual([]);

    await useMaven(folder, 'exit 0');
    const first = await fetchJars(pom, cache);
    expect(await readdir(first)).toEqual(['some.jar']);
    await useMaven(folder, 'exit 1');
    expect(await fetchJars(pom, cache)).toBe(first);
    await writeFile(pom, 'two');
    await expect(fetchJars(pom, cache)).rejects.toThrow('Maven could not fetch');
  });

  test('cannot be used without Java or fetched without Maven, and the message says how to get them', async () => {
    const folder = await temporaryFolder();
    const pom = join(folder, 'pom.xml');
    await writeFile(pom, '');
    vi.stubEnv('PATH', folder);
    const advice = 'apt-get install openjdk-17-jre-headless maven';
    await expect(serverJars()).rejects.toThrow(advice);
    await expect(fetchJars(pom, join(folder, 'cache'))).rejects.toThrow(advice);
  });
});

async function started(options: ClusterOptions): Promise<Cluster> {
  const cluster = await startCluster(options);
  clusters.push(cluster);
  return cluster;
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headwater-jars-'));
  folders.push(folder);
  return folder;
}

/** Puts a Maven on the path that writes one jar into the folder it was told, and then does this. */
async function useMaven(folder: string, then: string): Promise<void> {
  const script = `#!/bin/sh
for parameter; do case $parameter in -DoutputDirectory=*) : > "\${parameter#*=}/some.jar";; esac; done
${then}
`;
  await writeFile(join(folder, 'mvn'), script, { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH']}`);
}

const openPorts = (cluster: Cluster): Promise<boolean[]> =>
  Promise.all(cluster.bootstrap.map((address) => isOpen(Number(address.split(':')[1]))));

/** How many processes have this folder in their command line. */
async function processesOf(folder: string): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'args']);
  return stdout.split('\n').filter((line) => line.includes(folder)).length;
}

async function produce(
  cluster: Cluster,
  topic: string,
  values: readonly string[],
  outcome: 'commit' | 'abort',
): Promise<void> {
  const producer = new Producer({
    clientId: 'harness-test',
    bootstrapBrokers: cluster.bootstrap,
    idempotent: true,
    transactionalId: `harness-${outcome}`,
    serializers: stringSerializers,
  });
  try {
    const transaction = await producer.beginTransaction();
    const headers = { 'mqtt.topic': 'a/b:c,d' };
    const timestamp = 1_700_000_000_000n;
    const messages = values.map((value) => ({ topic, partition: 1, value, headers, timestamp }));
    await transaction.send({ messages });
    await transaction[outcome]();
  } finally {
    await producer.close(true);
  }
}
