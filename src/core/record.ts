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

/** The bytes of a record that somebody sent: key, value and headers. */
export function payloadBytes({ key, value, headers }: LogRecord): number {
  const inHeaders = headers.reduce(
    (sum, header) => sum + Buffer.byteLength(header.name) + header.value.length,
    0,
  );
  return (key?.length ?? 0) + (value?.length ?? 0) + inHeaders;
}

/** A record on its way into the log. */
export interface NewRecord extends LogRecord {
  readonly topic: string;
  /** The partition, where the caller decides it; otherwise Kafka's murmur2 of the key decides. */
  readonly partition?: number;
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
