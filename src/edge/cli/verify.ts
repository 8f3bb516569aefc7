import { limits } from '../../core/limits.ts';
import { type PartitionRange, type VerifyEvent, verifyLog } from '../../log/verify.ts';
import { nodeClock } from '../../platform/node-clock.ts';
import { readStoppedFolder } from '../stopped-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { mebibytes, ProgressBar } from './progress-bar.ts';
import type { Terminal } from './terminal.ts';

type EventOf<Kind extends VerifyEvent['kind']> = Extract<VerifyEvent, { kind: Kind }>;

/** What was found in a data folder; the lists are bounded, `omitted` says how many findings are in none. */
interface Findings {
  totalBytes: number;
  checkedBytes: number;
  lostRecords: number;
  omitted: number;
  readonly lost: EventOf<'lost'>[];
  readonly damaged: EventOf<'damaged'>[];
  readonly setAside: EventOf<'set-aside'>[];
  tornTail: EventOf<'torn-tail'> | undefined;
  done: EventOf<'done'> | undefined;
}

/**
 * `headwater verify`: checks everything in the data folder of a gateway that does not run, changes nothing, and names
 * the offsets that are lost. Ends with 1 if something is lost or damaged.
 * @throws OperatingError `data-folder-in-use`, `data-folder-unusable`, `unreadable-format`
 */
export async function verify(dataDir: string, terminal: Terminal, json: boolean): Promise<ExitCode> {
  const findings = await readStoppedFolder(dataDir, async (disk) => {
    const bar = new ProgressBar(terminal.errors, () => nodeClock.monotonicMs());
    try {
      return await collect(verifyLog(disk), bar);
    } finally {
      await bar.clear();
    }
  });
  await terminal.output.write(json ? `${JSON.stringify(report(findings))}\n` : findingsText(findings));
  return isSound(findings) ? exitCodes.ok : exitCodes.failed;
}

async function collect(events: AsyncIterable<VerifyEvent>, bar: ProgressBar): Promise<Findings> {
  const findings: Findings = {
    totalBytes: 0,
    checkedBytes: 0,
    lostRecords: 0,
    omitted: 0,
    lost: [],
    damaged: [],
    setAside: [],
    tornTail: undefined,
    done: undefined,
  };
  for await (const event of events) {
    note(findings, event);
    await bar.show(findings.checkedBytes, findings.totalBytes);
  }
  return findings;
}

function note(findings: Findings, event: VerifyEvent): void {
  const enter = <Finding>(list: Finding[], finding: Finding): void => {
    if (list.length < limits.verifyFindingsMax) list.push(finding);
    else findings.omitted++;
  };
  switch (event.kind) {
    case 'started':
      findings.totalBytes = event.totalBytes;
      break;
    case 'checked':
      findings.checkedBytes += event.bytes;
      break;
    case 'lost':
      findings.lostRecords += event.endOffset - event.fromOffset;
      enter(findings.lost, event);
      break;
    case 'damaged':
      enter(findings.damaged, event);
      break;
    case 'set-aside':
      enter(findings.setAside, event);
      break;
    case 'torn-tail':
      findings.tornTail = event;
      break;
    case 'done':
      findings.done = event;
      break;
  }
}

const isSound = ({ lost, damaged, done }: Findings): boolean =>
  done?.logId !== undefined && lost.length === 0 && damaged.length === 0;

/** The findings for programs. Offsets are inclusive; positions and sizes are bytes. */
function report(findings: Findings): object {
  const { checkedBytes, lostRecords, omitted, lost, damaged, setAside, tornTail, done } = findings;
  const range = ({ topic, partition, fromOffset, endOffset }: PartitionRange) => ({
    topic,
    partition,
    firstOffset: fromOffset,
    lastOffset: endOffset - 1,
  });
  const withoutKind = <Event extends VerifyEvent>({ kind: _, ...rest }: Event) => rest;
  return {
    logId: done?.logId ?? null,
    isSound: isSound(findings),
    partitions: done?.partitions ?? 0,
    records: done?.records ?? 0,
    checkedBytes,
    lostRecords,
    lost: lost.map(range),
    damaged: damaged.map(withoutKind),
    tornTail: tornTail === undefined ? null : withoutKind(tornTail),
    setAside: setAside.map(({ file, sizeBytes, holds }) => ({ file, sizeBytes, holds: holds.map(range) })),
    omitted,
  };
}

/** The findings for people: one line each, the verdict last. */
function findingsText(findings: Findings): string {
  const { tornTail, omitted } = findings;
  const lines = [
    ...findings.lost.map((range) => `LOST       ${rangeText(range)}`),
    ...findings.damaged.map(
      ({ file, position, sizeBytes, what }) =>
        `DAMAGED    ${file} at byte ${position} (${sizeBytes} bytes): ${what}`,
    ),
    ...findings.setAside.map(({ file, sizeBytes, holds }) => {
      const readable = holds.map(rangeText).join(', ');
      return `set aside  ${file} (${sizeBytes} bytes); to be read in it, with headwater dump: ${readable || 'nothing'}`;
    }),
    ...(tornTail === undefined ? [] : [tornTailText(tornTail)]),
    ...(omitted === 0 ? [] : [`and ${omitted} findings more`]),
    verdict(findings),
  ];
  return `${lines.join('\n')}\n`;
}

function rangeText({ topic, partition, fromOffset, endOffset }: PartitionRange): string {
  const last = endOffset - 1;
  const offsets = fromOffset === last ? `offset ${last}` : `offsets ${fromOffset} to ${last}`;
  return `${topic}-${partition} ${offsets}`;
}

const tornTailText = ({ file, position, commitNumber }: EventOf<'torn-tail'>): string =>
  `tail       ${file} at byte ${position}: tail cut at ${commitNumber}. This last commit is not whole, and the next ` +
  'start cuts it off; nobody was told that it is stored, unless the medium has damaged it since';

function verdict(findings: Findings): string {
  const { done, checkedBytes, lostRecords, damaged } = findings;
  const checked = `${mebibytes(checkedBytes)} MiB checked`;
  if (done?.logId === undefined) {
    const advice =
      'keep a copy of the data folder before a gateway starts on it: it would take over what the segments hold, and begin a new log';
    return `no journal file has a whole header, so nothing says what the log held; ${advice} (${checked})`;
  }
  const there = `${count(done.records, 'record')} in ${count(done.partitions, 'partition')}, ${checked}`;
  if (isSound(findings)) return `nothing is lost or damaged: ${there}`;
  const damages = count(damaged.length, 'damaged place');
  return `LOST: ${count(lostRecords, 'record')}; ${damages}; still there: ${there}`;
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
