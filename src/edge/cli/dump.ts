import { basename, dirname, resolve } from 'node:path';
import type { ReadableDisk } from '../../core/disk.ts';
import { isOperatingError, isSystemError, messageOf, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { batchCodec, decodeBatch, peekBatchHeader } from '../../log/encoding/batch.ts';
import { dumpJournal, type JournalPiece } from '../../log/journal/dump-journal.ts';
import { readOverDamage } from '../../log/journal/journal-files.ts';
import { dumpSegment, type SegmentDumpPiece } from '../../log/segments/dump-segment.ts';
import type { DescribedEntry } from '../../log/state/entry-words.ts';
import { readOnlyDisk } from '../../platform/node-disk.ts';
import { recordFields } from '../admin/record-json.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

export interface DumpRequest {
  /** Paths from the working directory; none: the files of the data folder. */
  readonly files: readonly string[];
  /** Only what is of this topic, or of this partition of it. */
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  /** Whether to show the records of each batch. */
  readonly records: boolean;
}

/** A file, and where it is. */
interface DumpedFile {
  readonly disk: ReadableDisk;
  readonly path: string;
  /** As it is shown. */
  readonly name: string;
}

/**
 * `headwater dump`: shows what lies where in journal files and segments, also in damaged ones, line by line. Takes no
 * lock: beside a running gateway it shows what is there at the moment.
 * @throws OperatingError `data-folder-unusable` if a file cannot be opened, or if there is none
 */
export async function dump(dataDir: string, terminal: Terminal, request: DumpRequest): Promise<ExitCode> {
  const files =
    request.files.length === 0
      ? await filesOf(dataDir, request)
      : request.files.map((file) => {
          const path = resolve(terminal.workingDirectory, file);
          return { disk: readOnlyDisk(dirname(path)), path: basename(path), name: file };
        });
  if (files.length === 0)
    throw new OperatingError(
      'data-folder-unusable',
      `nothing to show in ${dataDir}: give this command the same --config or --set data.dir=… as the gateway, or the ` +
        'names of files',
    );
  for (const file of files)
    for await (const line of linesOf(file, request))
      if (!(await terminal.output.write(`${line}\n`))) return exitCodes.ok;
  return exitCodes.ok;
}

async function filesOf(dataDir: string, { topic, partition }: DumpRequest): Promise<readonly DumpedFile[]> {
  const disk = readOnlyDisk(resolve(dataDir));
  const folders = [...(await disk.list('topics'))].sort().filter((name) => {
    const [, of, number] = /^(.*)-(\d+)$/.exec(name) ?? [];
    return (topic === undefined || of === topic) && (partition === undefined || Number(number) === partition);
  });
  const paths: string[] = [];
  for (const folder of [...folders.map((name) => `topics/${name}`), 'journal', 'quarantine'])
    for (const name of [...(await disk.list(folder))].sort())
      if (/\.(?:log|journal)$/.test(name)) paths.push(`${folder}/${name}`);
  return paths.map((path) => ({ disk, path, name: path }));
}

async function* linesOf({ disk, path, name }: DumpedFile, request: DumpRequest): AsyncGenerator<string> {
  try {
    const file = await disk.open(path);
    try {
      const sizeBytes = await file.size();
      yield `${name}  ${sizeBytes} bytes`;
      if (path.endsWith('.log')) {
        for await (const piece of dumpSegment(file)) yield* segmentLines(piece, request);
        return;
      }
      const bytes = await readOverDamage(file, 0, Math.min(sizeBytes, limits.journalFileBytes));
      for (const piece of dumpJournal(bytes)) yield* journalLines(piece, request);
      if (bytes.length < sizeBytes)
        yield at(bytes.length, 'longer than a journal file; the rest is not shown');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const message = `${name} cannot be read: ${messageOf(error)}`;
    throw new OperatingError('data-folder-unusable', message, { cause: error });
  }
}

function* segmentLines(piece: SegmentDumpPiece, request: DumpRequest): Generator<string> {
  const { position, sizeBytes } = piece;
  if (piece.kind === 'gap') {
    yield at(position, `NO BATCH in ${sizeBytes} bytes`);
    return;
  }
  const { header, isIntact, bytes } = piece;
  const checksum = isIntact ? 'checksum ok' : 'checksum WRONG';
  yield at(position, `batch ${batchText(bytes)}, life ${header.leaderEpoch}, ${checksum}`);
  if (request.records) yield* recordLines(bytes);
}

function* journalLines(piece: JournalPiece, request: DumpRequest): Generator<string> {
  const { position, sizeBytes } = piece;
  if (piece.kind === 'gap') {
    if (piece.isZero) yield at(position, `zeros, ${sizeBytes} bytes`);
    else yield at(position, piece.why ?? `NO WHOLE COMMIT in ${sizeBytes} bytes`);
    return;
  }
  const isWanted = ({ partition }: DescribedEntry): boolean =>
    request.topic === undefined ||
    (partition?.topic === request.topic &&
      (request.partition === undefined || partition.number === request.partition));
  const entries = piece.entries.filter(isWanted);
  if (piece.kind === 'header') yield at(position, headerText(piece.header));
  else if (entries.length > 0) yield at(position, frameText(piece));
  for (const { words, batch } of entries) {
    yield `${indent}${words}${batch === undefined ? '' : ` (${batchText(batch)})`}`;
    if (batch !== undefined && request.records) yield* recordLines(batch);
  }
}

function headerText(header: (JournalPiece & { kind: 'header' })['header']): string {
  const { logId, life, copiedLife, sequence, firstCommit, createdWallMs, writer } = header;
  const copy = copiedLife === undefined ? '' : `, begins with a copy from life ${copiedLife.ordinal}`;
  return (
    `header: log ${logId}, file ${sequence}, life ${life.ordinal} (${life.lifeId}), first commit ${firstCommit}${copy}, ` +
    `made ${moment(createdWallMs)} by version ${writer}; the state before its first commit:`
  );
}

function frameText({ frame, sizeBytes, isOfThisFile }: JournalPiece & { kind: 'frame' }): string {
  const { commitNumber, lifeOrdinal, stored, rawBytes, codec } = frame;
  const compressed = codec === 0 ? '' : `, compressed from ${rawBytes}`;
  const stale = isOfThisFile ? '' : '; left by an earlier use of the file, counts for nothing';
  return `commit ${commitNumber}, life ${lifeOrdinal}, ${stored.length} bytes${compressed} in ${sizeBytes}${stale}`;
}

function batchText(batch: Uint8Array): string {
  const header = peekBatchHeader(Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength));
  if (header === undefined) return 'unreadable';
  const { baseOffset, lastOffset, recordCount, sizeBytes, maxTimestampMs } = header;
  const { codec, baseTimestampMs } = batchCodec(batch);
  return (
    `offsets ${baseOffset} to ${lastOffset}, records ${recordCount}, ${sizeBytes} bytes, compression ${codec}, ` +
    `time ${moment(baseTimestampMs)} to ${moment(maxTimestampMs)}`
  );
}

function* recordLines(batch: Uint8Array): Generator<string> {
  try {
    for (const record of decodeBatch(batch))
      yield `${indent}${indent}${JSON.stringify(recordFields(record))}`;
  } catch (error) {
    if (!isOperatingError(error)) throw error;
    yield `${indent}${indent}its records cannot be read: ${error.message}`;
  }
}

const indent = ' '.repeat(12);

const at = (position: number, text: string): string => `${String(position).padStart(10)}  ${text}`;

/** Damaged bytes may say any number. */
function moment(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}
