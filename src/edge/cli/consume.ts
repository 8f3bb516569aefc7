import { OperatingError } from '../../core/errors.ts';
import type { TopicStatus } from '../status.ts';
import type { AdminClient } from './admin-client.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';
import { fetchTopics } from './topics.ts';

export interface ConsumeRequest {
  readonly topic: string;
  readonly fromBeginning: boolean;
  readonly partition: number | undefined;
  readonly offset: number | undefined;
  /** Milliseconds since 1970 UTC. */
  readonly fromTimeMs: number | undefined;
  readonly follow: boolean;
  readonly messagesMax: number | undefined;
  readonly json: boolean;
}

/** The options as they are given. */
export interface ConsumeOptions {
  readonly fromBeginning?: true;
  readonly partition?: number;
  readonly offset?: number;
  readonly fromTime?: number;
  readonly follow?: true;
  readonly maxMessages?: number;
  readonly json?: true;
}

/** What the options ask for; they do not contradict each other. */
export const consumeRequest = (topic: string, options: ConsumeOptions): ConsumeRequest => ({
  topic,
  fromBeginning: options.fromBeginning === true,
  partition: options.partition,
  offset: options.offset,
  fromTimeMs: options.fromTime,
  follow: options.follow === true,
  messagesMax: options.maxMessages,
  json: options.json === true,
});

/** What is wrong with the options together, in words; undefined if nothing is. */
export function contradictionIn(options: ConsumeOptions): string | undefined {
  const { fromBeginning, partition, offset, fromTime, follow } = options;
  if (offset !== undefined && partition === undefined)
    return '--offset needs --partition: each has offsets of its own';
  const starts = [
    ...(fromBeginning ? ['--from-beginning'] : []),
    ...(offset === undefined ? [] : ['--offset']),
    ...(fromTime === undefined ? [] : ['--from-time']),
  ];
  if (starts.length > 1) return `${starts.slice(0, 2).join(' and ')} both say where to start; give one`;
  if (starts.length === 1 || follow) return undefined;
  return 'say where to start: --from-beginning, --from-time, --partition P --offset N, or --follow for new records only';
}

/** Where records come from. */
export interface RecordSource {
  /**
   * The records that are asked for, in one or more streams: each record as a line of `GET /api/records`, without its end.
   * @throws OperatingError `unknown-topic`, `illegal-partition`; the streams may throw others
   */
  streams(request: ConsumeRequest, signal: AbortSignal): Promise<readonly AsyncIterable<Buffer>[]>;
}

/** The records of a running gateway. */
export const gatewayRecords = (client: AdminClient): RecordSource => ({
  streams: async (request, signal) =>
    (await streamPaths(client, request)).map((path) => client.lines(path, signal)),
});

/**
 * `headwater consume`: prints the value of each record and a newline, or one JSON object for each. Ends at the high
 * watermark as it was at the start, after `messagesMax`, or when nobody reads the output any more; with `follow` not
 * at the high watermark.
 * @throws OperatingError `unknown-topic`, `illegal-partition`, and what the source's streams throw
 */
export async function consume(
  source: RecordSource,
  terminal: Terminal,
  request: ConsumeRequest,
): Promise<ExitCode> {
  const stop = new AbortController();
  const printer = new Printer(terminal, request, stop);
  const sources = await source.streams(request, stop.signal);
  const streams = sources.map(async (lines) => {
    for await (const line of lines) {
      await printer.print(line);
      if (stop.signal.aborted) return;
    }
    if (request.follow && !stop.signal.aborted) {
      throw new OperatingError(
        'gateway-unreachable',
        `the gateway has ended the stream: it is stopping, or topic ${request.topic} was deleted`,
      );
    }
  });
  try {
    await Promise.all(streams);
  } finally {
    stop.abort();
    await Promise.allSettled(streams);
  }
  return exitCodes.ok;
}

/** Prints records one after the other, also those of several streams, and stops all of them when it is enough. */
class Printer {
  readonly #terminal: Terminal;
  readonly #request: ConsumeRequest;
  readonly #stop: AbortController;
  #printed = 0;

  constructor(terminal: Terminal, request: ConsumeRequest, stop: AbortController) {
    this.#terminal = terminal;
    this.#request = request;
    this.#stop = stop;
  }

  async print(line: Buffer): Promise<void> {
    const { json, messagesMax = Number.POSITIVE_INFINITY } = this.#request;
    if (this.#printed >= messagesMax) return;
    this.#printed++;
    const text = json ? line : valueIn(line);
    const goOn = await this.#terminal.output.write(Buffer.concat([text, newline]));
    if (!goOn || this.#printed >= messagesMax) this.#stop.abort();
  }
}

const newline = Buffer.from('\n');

/** The value of a record, byte for byte; a record without a value shows as `null`, as in Kafka's console consumer. */
function valueIn(line: Buffer): Buffer {
  const { value, valueBase64 } = JSON.parse(line.toString('utf8')) as {
    value?: string | null;
    valueBase64?: string;
  };
  if (valueBase64 !== undefined) return Buffer.from(valueBase64, 'base64');
  return Buffer.from(value ?? 'null');
}

async function streamPaths(client: AdminClient, request: ConsumeRequest): Promise<readonly string[]> {
  const { topic, partition, offset, fromTimeMs, follow, messagesMax } = request;
  const pathOf = (position: Partial<Pick<ConsumeRequest, 'partition' | 'offset' | 'fromTimeMs'>>): string => {
    const query = { topic, follow, limit: messagesMax, ...position };
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    return `/api/records?${new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()}`;
  };
  if (request.fromBeginning || offset !== undefined || fromTimeMs !== undefined)
    return [pathOf({ partition, offset, fromTimeMs })];
  const partitions = partitionsOf(await fetchTopics(client), topic, partition);
  return partitions.map((end) => pathOf({ partition: end.partition, offset: end.highWatermark }));
}

/**
 * The partitions of a topic, or the one that is named.
 * @throws OperatingError `unknown-topic`, `illegal-partition`
 */
export function partitionsOf(
  topics: readonly TopicStatus[],
  name: string,
  partition: number | undefined,
): TopicStatus['partitions'] {
  const topic = topics.find((candidate) => candidate.name === name);
  if (topic === undefined) {
    const names = topics.map((candidate) => candidate.name).join(', ');
    throw new OperatingError('unknown-topic', `there is no topic ${name}; there are: ${names || 'none yet'}`);
  }
  if (partition === undefined) return topic.partitions;
  const wanted = topic.partitions.filter((candidate) => candidate.partition === partition);
  if (wanted.length > 0) return wanted;
  const message = `topic ${name} has no partition ${partition}; it has 0 to ${topic.partitions.length - 1}`;
  throw new OperatingError('illegal-partition', message);
}
