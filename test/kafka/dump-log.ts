import { toolJars } from './jars.ts';
import { javaParameters } from './java.ts';
import { runToEnd } from './processes.ts';

const HEAP_MIB = 256;

/** What Kafka's own dump tool says of a segment. */
export interface DumpedSegment {
  readonly batches: readonly DumpedBatch[];
  /** In the order of the file. */
  readonly records: readonly DumpedRecord[];
  /** Whether it found bytes behind the last batch. */
  readonly hasTornTail: boolean;
}

export interface DumpedBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  readonly leaderEpoch: number;
  readonly isValid: boolean;
}

export interface DumpedRecord {
  readonly offset: number;
  readonly timestampMs: number;
  /** As the tool prints it. */
  readonly payload: string;
}

/**
 * Runs Kafka's `kafka-dump-log --deep-iteration` over segments, which it decompresses record by record; by path.
 * @throws Error if the tool fails, as it does for damage
 */
export async function dumpSegments(paths: readonly string[]): Promise<Map<string, DumpedSegment>> {
  const { code, stdout, stderr } = await runToEnd('java', [
    ...javaParameters(await toolJars(), HEAP_MIB, 'warn'),
    'org.apache.kafka.tools.DumpLogSegments',
    ...['--files', paths.join(','), '--deep-iteration', '--print-data-log'],
  ]);
  if (code !== 0) throw new Error(`kafka-dump-log failed:\n${stdout.slice(-2000)}${stderr}`);
  // With a base offset above 0 the tool ends with "Non-consecutive offsets", which is wrong: the batches tell.
  const sections = stdout.split(/^Dumping /m).slice(1);
  return new Map(sections.map((section) => [section.slice(0, section.search(/\r?\n/)), parse(section)]));
}

function parse(section: string): DumpedSegment {
  return {
    batches: [...section.matchAll(BATCH)].map(
      ([, baseOffset, lastOffset, count, leaderEpoch, isValid]): DumpedBatch => ({
        baseOffset: Number(baseOffset),
        lastOffset: Number(lastOffset),
        count: Number(count),
        leaderEpoch: Number(leaderEpoch),
        isValid: isValid === 'true',
      }),
    ),
    records: [...section.matchAll(RECORD)].map(
      ([, offset, timestampMs, payload = '']): DumpedRecord => ({
        offset: Number(offset),
        timestampMs: Number(timestampMs),
        payload,
      }),
    ),
    hasTornTail: section.includes('invalid bytes at the end'),
  };
}

const BATCH =
  /^baseOffset: (\d+) lastOffset: (\d+) count: (\d+) .*partitionLeaderEpoch: (-?\d+) .*isvalid: (true|false)/gm;
const RECORD = /^\| offset: (\d+) \S+: (\d+) .*payload: (.*)$/gm;
