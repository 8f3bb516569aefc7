import { limits } from '../../core/limits.ts';
import { ByteReader, ByteWriter } from '../../log/encoding/bytes.ts';
import { crc32c } from '../../log/encoding/crc32c.ts';

/*
 * A file of detector states: blocks, each behind its length and its CRC32C (uint32 each). The first is a header, then there is one for each
 * state, and the last one says how far the states reach. A file without its last block does not count.
 */

const formatVersion = 1;
const kinds = { header: 1, state: 2, end: 3 } as const;
/** Length and checksum of a block. */
export const blockHeadBytes = 8;

/** What states are of: they mean nothing to another log, or to other detectors. */
export interface StatesOf {
  readonly logId: string;
  readonly detection: string;
}

/** The state of a series, as it was saved. */
export interface SavedState {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly path: string;
  /** It knows the readings of its partition below this offset. */
  readonly nextOffset: number;
  /** The time of its last reading, milliseconds since 1970 UTC. */
  readonly lastTimeMs: number;
  readonly bytes: Uint8Array;
}

/** A partition of which all states, this file's and those of older ones, know the readings below an offset. */
export interface StatesEnd {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export type StateBlock =
  | { readonly kind: 'header'; readonly of: StatesOf }
  | { readonly kind: 'state'; readonly state: SavedState }
  | { readonly kind: 'end'; readonly ends: readonly StatesEnd[] };

/** Appends a block to what is to be written. */
export function writeBlock(into: ByteWriter, block: StateBlock): void {
  const content = new ByteWriter();
  switch (block.kind) {
    case 'header':
      content.uint8(kinds.header);
      content.uint16(formatVersion);
      content.text(block.of.logId);
      content.text(block.of.detection);
      break;
    case 'state':
      writeState(content, block.state);
      break;
    case 'end':
      content.uint8(kinds.end);
      content.uint32(block.ends.length);
      for (const { topic, partition, offset } of block.ends) {
        content.text(topic);
        content.uint32(partition);
        content.int64(offset);
      }
  }
  const bytes = content.bytes();
  into.uint32(bytes.length);
  into.uint32(crc32c(bytes));
  into.raw(bytes);
}

/**
 * The block whose head and content these are; undefined if the checksum is wrong, or it is of another format.
 * @throws OperatingError `unreadable-format` if it has a right checksum and does not say what it must
 */
export function readBlock(head: Uint8Array, content: Uint8Array): StateBlock | undefined {
  const [length, checksum] = blockHead(head);
  if (content.length !== length || crc32c(content) !== checksum) return undefined;
  const reader = new ByteReader(content, 'detector states');
  switch (reader.uint8()) {
    case kinds.header: {
      if (reader.uint16() !== formatVersion) return undefined;
      return { kind: 'header', of: { logId: reader.text(), detection: reader.text() } };
    }
    case kinds.state:
      return { kind: 'state', state: readState(reader) };
    case kinds.end: {
      const count = reader.uint32();
      const ends: StatesEnd[] = [];
      for (let index = 0; index < count; index += 1)
        ends.push({ topic: reader.text(), partition: reader.uint32(), offset: reader.int64() });
      return { kind: 'end', ends };
    }
    default:
      return undefined;
  }
}

/** Length and checksum of the block that begins with these bytes; a length that no block can have is 0. */
export function blockHead(head: Uint8Array): readonly [length: number, checksum: number] {
  const reader = new ByteReader(head, 'detector states');
  const length = reader.uint32();
  return [length > limits.stateEntryBytesMax ? 0 : length, reader.uint32()];
}

function writeState(into: ByteWriter, state: SavedState): void {
  into.uint8(kinds.state);
  into.text(state.topic);
  into.uint32(state.partition);
  into.text(state.key);
  into.text(state.path);
  into.int64(state.nextOffset);
  into.int64(Math.round(state.lastTimeMs));
  into.block(state.bytes);
}

const readState = (reader: ByteReader): SavedState => ({
  topic: reader.text(),
  partition: reader.uint32(),
  key: reader.text(),
  path: reader.text(),
  nextOffset: reader.int64(),
  lastTimeMs: reader.int64(),
  // The bytes that were read are read into again.
  bytes: Uint8Array.from(reader.block()),
});
