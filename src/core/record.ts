/** One header of a record. The value may be any bytes. */
export interface RecordHeader {
  readonly name: string;
  readonly value: Uint8Array;
}

/** What a partition stores: key, value, headers, timestamp (design §2). */
export interface LogRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Milliseconds since 1970 UTC. */
  readonly timestampMs: number;
  readonly headers: readonly RecordHeader[];
}

/** What somebody sent: a record without its time. */
export type RecordContent = Omit<LogRecord, 'timestampMs'>;

/** The bytes of a record that somebody sent: key, value and headers. */
export function payloadBytes({ key, value, headers }: RecordContent): number {
  const inHeaders = headers.reduce(
    (sum, header) => sum + Buffer.byteLength(header.name) + header.value.length,
    0,
  );
  return (key?.length ?? 0) + (value?.length ?? 0) + inHeaders;
}

/** A record on its way into the log. */
export type NewRecord = ReceivedRecord | StampedRecord;

interface UnstampedRecord extends RecordContent {
  readonly topic: string;
  /** The partition, where the caller decides it; otherwise Kafka's murmur2 of the key decides. */
  readonly partition?: number;
}

/** One that the log stamps, by the setting of the wall clock that counts when it is committed. */
export interface ReceivedRecord extends UnstampedRecord {
  /** When the gateway received it, by the monotonic clock. */
  readonly receivedMs: number;
  readonly timestampMs?: undefined;
}

/** One that has its time already. */
export interface StampedRecord extends UnstampedRecord {
  /** Milliseconds since 1970 UTC. */
  readonly timestampMs: number;
  readonly receivedMs?: undefined;
}

/** A record read back from the log. */
export interface StoredRecord extends LogRecord {
  readonly offset: number;
}

/**
 * The one way from a source into the log. Resolves when all records are durable; only then may the device be
 * answered. Rejects with an {@link import('./errors.ts').OperatingError} if they are not durable: the device offers them
 * again, and may then find them stored twice.
 */
export type Accept = (records: readonly NewRecord[]) => Promise<void>;
