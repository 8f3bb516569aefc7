import { ByteReader, ByteWriter } from '../encoding/bytes.ts';
import {
  type Entry,
  entryKinds,
  type PartitionId,
  readPartitionId,
  writePartitionId,
} from '../state/entries.ts';
import type { ClockEpoch } from './clock-epoch.ts';

/** An epoch, and in a snapshot where it begins in each partition that has records of it. */
export interface ClockEpochEntry extends ClockEpoch {
  readonly starts: readonly { readonly id: PartitionId; readonly firstOffset: number }[];
}

/** Flags of an entry. */
const set = 1;
const told = 2;
const shifted = 4;

/** An epoch that begins, or of which something has become known. In a frame it has no starts: the batches say them. */
export function clockEpochEntry(epoch: ClockEpochEntry): Entry {
  const writer = new ByteWriter(64 + 16 * epoch.starts.length);
  const { shiftMs } = epoch;
  writer.int32(epoch.ordinal);
  writer.raw(Buffer.from(epoch.bootId, 'hex'));
  writer.int64(epoch.settingMs);
  writer.int64(epoch.startedMs);
  writer.uint8((epoch.isSet ? set : 0) | (epoch.isTold ? told : 0) | (shiftMs === null ? 0 : shifted));
  writer.int64(shiftMs ?? 0);
  writer.uint32(epoch.starts.length);
  for (const { id, firstOffset } of epoch.starts) {
    writePartitionId(writer, id);
    writer.int64(firstOffset);
  }
  return { kind: entryKinds.clockEpoch, bytes: writer.bytes() };
}

/** The reverse of {@link clockEpochEntry}. */
export function readClockEpochEntry(entry: Entry): ClockEpochEntry {
  const reader = new ByteReader(entry.bytes, 'clock epoch');
  const fixed = {
    ordinal: reader.int32(),
    bootId: reader.raw(16).toString('hex'),
    settingMs: reader.int64(),
    startedMs: reader.int64(),
  };
  const flags = reader.uint8();
  const shiftMs = reader.int64();
  const starts: ClockEpochEntry['starts'][number][] = [];
  for (let left = reader.uint32(); left > 0; left -= 1)
    starts.push({ id: readPartitionId(reader), firstOffset: reader.int64() });
  return {
    ...fixed,
    isSet: (flags & set) !== 0,
    isTold: (flags & told) !== 0,
    shiftMs: (flags & shifted) === 0 ? null : shiftMs,
    starts,
  };
}
