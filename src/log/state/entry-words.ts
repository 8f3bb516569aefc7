import { readClockEpochEntry } from '../clock/clock-entry.ts';
import { readBatchHeader } from '../encoding/batch.ts';
import {
  type Entry,
  entryKinds,
  type PartitionId,
  readCheckpointEntry,
  readLifeEntry,
  readLogStartMoveEntry,
  readPartitionStateEntry,
  readQos2Entry,
  readRecordBatchEntry,
  readSealedOffsetEntry,
  readSegmentEntry,
  readTopicDeletionEntry,
  readTopicSettingEntry,
} from './entries.ts';

/** An entry of the journal for people. */
export interface DescribedEntry {
  readonly words: string;
  /** What it is about, if that is one partition; without a topic if nothing has said its name. */
  readonly partition?: { readonly topic: string | undefined; readonly number: number };
  /** The records, if it holds some. */
  readonly batch?: Uint8Array;
}

/** Puts entries into words. Learns the names of topics as it goes, so entries come in their order. */
export class EntryReader {
  readonly #names = new Map<number, string>();

  /** @throws OperatingError `unreadable-format` if the bytes are not what their kind says */
  describe(entry: Entry): DescribedEntry {
    switch (entry.kind) {
      case entryKinds.recordBatch: {
        const { id, batch } = readRecordBatchEntry(entry);
        const { baseOffset, lastOffset } = readBatchHeader(batch);
        return { ...this.#about(id, `records ${baseOffset} to ${lastOffset}`), batch };
      }
      case entryKinds.topicSetting: {
        const { topicNumber, name, partitions, settings } = readTopicSettingEntry(entry);
        this.#names.set(topicNumber, name);
        return {
          words: `topic ${name} (number ${topicNumber}), partitions ${partitions}, settings ${JSON.stringify(settings)}`,
        };
      }
      case entryKinds.topicDeletion:
        return { words: `topic ${this.#name(readTopicDeletionEntry(entry))} is deleted` };
      case entryKinds.partitionState: {
        const { id, logStartOffset, sealedOffset, nextOffset } = readPartitionStateEntry(entry);
        const words = `log start ${logStartOffset}, in segments below ${sealedOffset}, next offset ${nextOffset}`;
        return this.#about(id, words);
      }
      case entryKinds.logStartMove: {
        const { id, logStartOffset } = readLogStartMoveEntry(entry);
        return this.#about(id, `log start moves to ${logStartOffset}`);
      }
      case entryKinds.segment: {
        const { id, baseOffset, endOffset, sizeBytes } = readSegmentEntry(entry);
        return this.#about(
          id,
          `segment with offsets ${baseOffset} to ${endOffset - 1}, ${sizeBytes} bytes of it count`,
        );
      }
      case entryKinds.sealedOffset: {
        const { id, sealedOffset } = readSealedOffsetEntry(entry);
        return this.#about(id, `in segments below ${sealedOffset}`);
      }
      default:
        return { words: this.#others(entry) };
    }
  }

  #others(entry: Entry): string {
    switch (entry.kind) {
      case entryKinds.life: {
        const { ordinal, lifeId, starts } = readLifeEntry(entry);
        const places = starts.map(({ id, firstOffset }) => `${this.#partition(id)} from ${firstOffset}`);
        return `life ${ordinal} (${lifeId}): ${places.join(', ')}`;
      }
      case entryKinds.clockEpoch: {
        const { ordinal, bootId, isSet, shiftMs, starts } = readClockEpochEntry(entry);
        const clock = isSet
          ? 'set'
          : `not set, stamps ${shiftMs === null ? 'as they are' : `move by ${shiftMs} ms`}`;
        const places = starts.map(({ id, firstOffset }) => `, ${this.#partition(id)} from ${firstOffset}`);
        return `clock epoch ${ordinal} (boot ${bootId}), ${clock}${places.join('')}`;
      }
      case entryKinds.qos2Id: {
        const { client, packetIds } = readQos2Entry(entry);
        return `QoS 2 ids of client ${JSON.stringify(client)} open: ${packetIds.join(' ')}`;
      }
      case entryKinds.qos2Release: {
        const { client, packetIds } = readQos2Entry(entry);
        return `QoS 2 ids of client ${JSON.stringify(client)} released: ${packetIds.join(' ') || 'all'}`;
      }
      case entryKinds.checkpoint: {
        const { key, value } = readCheckpointEntry(entry);
        return `the mirror keeps ${JSON.stringify(key)}: ${JSON.stringify(Buffer.from(value).toString('utf8'))}`;
      }
      default:
        return `an entry of kind ${entry.kind}, which this version does not know, ${entry.bytes.length} bytes`;
    }
  }

  #about(id: PartitionId, words: string): DescribedEntry {
    const partition = { topic: this.#names.get(id.topicNumber), number: id.partition };
    return { words: `${this.#partition(id)}: ${words}`, partition };
  }

  #partition({ topicNumber, partition }: PartitionId): string {
    return `${this.#name(topicNumber)}-${partition}`;
  }

  #name(topicNumber: number): string {
    return this.#names.get(topicNumber) ?? `topic number ${topicNumber}`;
  }
}
