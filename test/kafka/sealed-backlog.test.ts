import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { NewRecord } from '../../src/core/record.ts';
import type { Forwarder } from '../../src/forwarder/forwarder.ts';
import { batchHeaderBytes } from '../../src/log/encoding/batch.ts';
import type { Log } from '../../src/log/log.ts';
import type { StoredBatch } from '../../src/log/types.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { drained, openLog, startMirror } from './log-to-kafka.ts';
import { kafkaTools } from './tools.ts';
import { until } from './until.ts';

const WAIT_MS_MAX = 180_000;
const PARTITIONS = 3;
const RECORDS_PER_APPEND = 500;
/** Small, so that nearly all of a small backlog is sealed. */
const JOURNAL_FILE_BYTES = 256 * 1024;
/** Small, so that a broker is killed between transactions of one backlog, and within them. */
const TRANSACTION_BYTES = 512 * 1024;

let cluster: Cluster | undefined;
let log: Log | undefined;
let forwarder: Forwarder | undefined;

afterEach(async () => {
  await forwarder?.stop();
  await log?.close();
  await cluster?.close();
});

/** Readings that hardly shrink, so that there are many batches; each value once. */
function readings(from: number, count: number): NewRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index;
    const noise = Buffer.from(nodeRandom.bytes(40)).toString('base64');
    return {
      topic: 'readings',
      partition: number % PARTITIONS,
      key: Buffer.from(`device-${number % 7}`),
      value: Buffer.from(`${number} ${noise}`),
      timestampMs: Date.now(),
      headers: [{ name: 'mqtt.topic', value: Buffer.from('a/b') }],
    };
  });
}

/** What the sender knows: the values of each partition, in the order in which they were acknowledged. */
class Sender {
  readonly sent = Array.from({ length: PARTITIONS }, (): string[] => []);
  #count = 0;

  async send(to: Log, appends: number): Promise<void> {
    for (let append = 0; append < appends; append += 1) {
      const records = readings(this.#count, RECORDS_PER_APPEND);
      await to.append(records);
      this.#count += records.length;
      for (const { partition = 0, value } of records) this.sent[partition]?.push(String(value));
    }
  }
}

async function sealedBatches(of: Log, partition: number): Promise<StoredBatch[]> {
  const sealed: StoredBatch[] = [];
  for (let offset = 0; ; ) {
    const batches = await of.read('readings', partition, offset, 1_000_000);
    const last = batches.at(-1);
    if (last === undefined) return sealed;
    sealed.push(...batches.filter((batch) => batch.sealed));
    offset = last.lastOffset + 1;
  }
}

/** The log files of the topic's partition on one broker. */
async function centralBytes(of: Cluster, node: number, partition: number): Promise<Buffer> {
  const files: Buffer[] = [];
  for await (const file of glob(
    join(of.folder, `node-${node}`, 'data', `gw1.readings-${partition}`, '*.log'),
  ))
    files.push(await readFile(file));
  return Buffer.concat(files);
}

/** Sends a backlog that is sealed, and opens the log anew, so that nothing of it comes from memory. */
async function sealedBacklog(folder: string, of: Log, sender: Sender): Promise<Log> {
  await sender.send(of, 100);
  await until('the backlog is sealed', WAIT_MS_MAX, async () => {
    // Sealed files go when the next one is begun.
    await sender.send(of, 1);
    return of.stats().journalFiles <= limits.sealFilesMin + 1 || undefined;
  });
  await of.close();
  return openLog(folder, JOURNAL_FILE_BYTES);
}

async function expectAllOnceInOrder(on: Cluster, sender: Sender): Promise<void> {
  const central = await kafkaTools(on.bootstrap).consume('gw1.readings', {
    readCommitted: true,
    timeoutMs: 15_000,
  });
  for (const [partition, expected] of sender.sent.entries()) {
    const arrived = central.filter((one) => one.partition === partition).map(({ value }) => String(value));
    expect(arrived.length).toBe(expected.length);
    expect(arrived).toEqual(expected);
  }
}

describe('a backlog in segments', () => {
  test.each([0, 2] as const)(
    'arrives once and in order, batch by batch as it is stored from within a batch on, and while a broker is killed (transaction.version=%i)',
    async (transactionVersion) => {
      await using folder = await temporaryFolder();
      cluster = await startCluster({ brokers: 3, transactionVersion });
      const sender = new Sender();
      log = await openLog(folder.path, JOURNAL_FILE_BYTES);
      await log.createTopic('readings', PARTITIONS);

      // What is sent live is later in the same sealed batch as what is not sent yet.
      await sender.send(log, 1);
      forwarder = startMirror(log, cluster.bootstrap, TRANSACTION_BYTES);
      await drained(forwarder);
      await forwarder.stop();
      const alreadySent = Math.floor(RECORDS_PER_APPEND / PARTITIONS);

      const reopened = await sealedBacklog(folder.path, log, sender);
      log = reopened;
      const stored = await Promise.all(sender.sent.map((_, partition) => sealedBatches(reopened, partition)));
      const [first] = stored[0] ?? [];
      expect(first?.baseOffset).toBeLessThan(alreadySent);
      expect(first?.lastOffset).toBeGreaterThan(alreadySent);

      forwarder = startMirror(log, cluster.bootstrap, TRANSACTION_BYTES);
      await drained(forwarder);
      await forwarder.stop();
      await expectAllOnceInOrder(cluster, sender);
      // The brokers keep what they are sent: the records of each batch are there as the log has them.
      for (const [partition, batches] of stored.entries()) {
        const bytes = await centralBytes(cluster, 1, partition);
        const isThere = batches.map((batch) => bytes.includes(batch.bytes.subarray(batchHeaderBytes)));
        expect(batches.length).toBeGreaterThan(10);
        expect(isThere).toEqual(batches.map(({ baseOffset }) => baseOffset > 0));
      }

      // A link that breaks again and again gets batches that are smaller than the stored ones, so only records are compared.
      log = await sealedBacklog(folder.path, log, sender);
      const draining = startMirror(log, cluster.bootstrap, TRANSACTION_BYTES);
      forwarder = draining;
      await until('it is under way', WAIT_MS_MAX, async () =>
        Promise.resolve(draining.status().recordsAcknowledged > 5000 || undefined),
      );
      await cluster.kill(2);
      await cluster.restart(2);
      await drained(forwarder);
      await expectAllOnceInOrder(cluster, sender);
    },
  );
});
