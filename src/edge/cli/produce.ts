import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { AdminClient } from './admin-client.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { LineSplitter, LineTooLong } from './lines.ts';
import type { Terminal } from './terminal.ts';

export interface ProduceRequest {
  readonly topic: string;
  /** What stands between key and value in each line; without it a line is a value and records have no key. */
  readonly keySeparator: string | undefined;
}

interface ProducedRecord {
  readonly key?: string;
  readonly value: string;
}

/**
 * `headwater produce`: each line of standard input becomes one record, in order. Says at the end, on standard error,
 * how many are durable, also if a line or the gateway stops it.
 * @throws OperatingError `bad-input`, and what {@link AdminClient.json} throws
 */
export async function produce(
  client: AdminClient,
  terminal: Terminal,
  request: ProduceRequest,
): Promise<ExitCode> {
  const lines = new RecordLines(request.keySeparator);
  let stored = 0;
  const send = async (records: Iterable<ProducedRecord>): Promise<void> => {
    for (const batch of inRequests(records)) {
      await client.json('POST', '/api/records', { topic: request.topic, records: batch });
      stored += batch.length;
    }
  };
  try {
    // What arrives together is sent together: a typist sees each line stored, and a file goes in large steps.
    for await (const chunk of terminal.input) await send(lines.push(chunk));
    await send(lines.end());
  } finally {
    const records = stored === 1 ? '1 record' : `${stored} records`;
    await terminal.errors.write(`${records} stored in ${request.topic}\n`);
  }
  return exitCodes.ok;
}

/** Turns chunks of standard input into records. */
class RecordLines {
  readonly #keySeparator: string | undefined;
  readonly #splitter = new LineSplitter(limits.produceLineBytesMax);
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #lineNumber = 0;

  constructor(keySeparator: string | undefined) {
    this.#keySeparator = keySeparator;
  }

  *push(chunk: Buffer): Generator<ProducedRecord> {
    try {
      for (const line of this.#splitter.push(chunk)) yield this.#record(line);
    } catch (error) {
      if (!(error instanceof LineTooLong)) throw error;
      throw this.#bad(this.#lineNumber + 1, `is longer than ${limits.produceLineBytesMax} bytes`);
    }
  }

  *end(): Generator<ProducedRecord> {
    for (const line of this.#splitter.end()) yield this.#record(line);
  }

  #record(line: Buffer): ProducedRecord {
    this.#lineNumber++;
    const record = this.#parse(this.#text(line));
    if (sizeOf(record) > requestRecordsBytesMax) throw this.#bad(this.#lineNumber, 'is too long as JSON');
    return record;
  }

  #text(line: Buffer): string {
    try {
      return this.#utf8.decode(line);
    } catch {
      throw this.#bad(
        this.#lineNumber,
        'is not UTF-8 text, and would not be stored as it is; send it over MQTT',
      );
    }
  }

  #parse(text: string): ProducedRecord {
    if (this.#keySeparator === undefined) return { value: text };
    const at = text.indexOf(this.#keySeparator);
    if (at === -1)
      throw this.#bad(this.#lineNumber, `has no key separator ${JSON.stringify(this.#keySeparator)}`);
    return { key: text.slice(0, at), value: text.slice(at + this.#keySeparator.length) };
  }

  #bad(lineNumber: number, what: string): OperatingError {
    return new OperatingError(
      'bad-input',
      `line ${lineNumber} of standard input ${what}; nothing from it on is stored`,
    );
  }
}

/** What is left for records in a request, beside the name of the topic. */
const requestRecordsBytesMax = limits.adminRequestBytesMax - 1024;

const sizeOf = (record: ProducedRecord): number => Buffer.byteLength(JSON.stringify(record)) + 1;

/** Groups records into requests of a bounded size. The good records before a bad one are given before it is thrown. */
function* inRequests(records: Iterable<ProducedRecord>): Generator<readonly ProducedRecord[]> {
  let batch: ProducedRecord[] = [];
  let bytes = 0;
  let failure: unknown;
  try {
    for (const record of records) {
      const size = sizeOf(record);
      if (batch.length === limits.adminRecordsPerRequestMax || bytes + size > requestRecordsBytesMax) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(record);
      bytes += size;
    }
  } catch (error) {
    failure = error;
  }
  if (batch.length > 0) yield batch;
  if (failure !== undefined) throw failure;
}
