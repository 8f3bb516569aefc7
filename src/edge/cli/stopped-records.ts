import { OperatingError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { StoppedLog } from '../../log/stopped-log.ts';
import { recordLine } from '../admin/record-json.ts';
import { type RecordQuery, readRecords } from '../admin/record-stream.ts';
import { topicStatuses } from '../status.ts';
import { holdsLog, readStoppedFolder } from '../stopped-folder.ts';
import { type ConsumeRequest, consume, partitionsOf, type RecordSource } from './consume.ts';
import type { ExitCode } from './exit-code.ts';
import type { Output, Terminal } from './terminal.ts';

/**
 * `headwater consume` where no gateway runs, which `notRunning` has said: reads the data folder itself, and changes
 * nothing there. The folder is locked meanwhile.
 * @throws OperatingError `gateway-not-running` if there is no log to read, or if it is to be followed;
 *   `data-folder-in-use`, `data-folder-unusable`, and what {@link consume} throws
 */
export async function consumeStopped(
  dataDir: string,
  terminal: Terminal,
  request: ConsumeRequest,
  notRunning: OperatingError,
): Promise<ExitCode> {
  if (!(await holdsLog(dataDir))) throw notRunning;
  if (request.follow)
    throw new OperatingError(
      'gateway-not-running',
      `${notRunning.message}\nwhat is stored can be read without it: leave out --follow, and give --from-beginning`,
      { cause: notRunning },
    );
  return await readStoppedFolder(dataDir, async (disk) => {
    const log = await StoppedLog.open({ disk, logger: complaints(terminal.errors) });
    if (log === undefined)
      throw new OperatingError(
        'data-folder-unusable',
        `no journal file in ${dataDir} has a whole header; headwater verify says what is damaged`,
      );
    await terminal.errors.write(`no gateway is running: reading the data folder ${dataDir} itself\n`);
    return await consume(storedRecords(log), terminal, request);
  });
}

/** The records of a log that nobody writes to. */
const storedRecords = (log: StoppedLog): RecordSource => ({
  streams: ({ topic, partition, offset, fromTimeMs, messagesMax }, signal) => {
    partitionsOf(topicStatuses(log.partitions()), topic, partition);
    const query: RecordQuery = {
      topic,
      follow: false,
      ...(partition !== undefined && { partition }),
      ...(offset !== undefined && { offset }),
      ...(fromTimeMs !== undefined && { fromTimeMs }),
      ...(messagesMax !== undefined && { limit: messagesMax }),
    };
    return Promise.resolve([linesOf(log, query, signal)]);
  },
});

async function* linesOf(log: StoppedLog, query: RecordQuery, signal: AbortSignal): AsyncGenerator<Buffer> {
  for await (const { partition, records } of readRecords(log, query, signal))
    for (const record of records) yield Buffer.from(recordLine(query.topic, partition, record).trimEnd());
}

/** Shows what is damaged. */
function complaints(errors: Output): Logger {
  const show = (fields: object, message: string): void => {
    const details = Object.entries(fields).map(([name, value]) => `${name} ${value}`);
    void errors.write(`${message}: ${details.join(', ')}\n`);
  };
  const logger: Logger = { debug() {}, info() {}, warn: show, error: show, child: () => logger };
  return logger;
}
