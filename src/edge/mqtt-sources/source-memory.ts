import type { Disk } from '../../core/disk.ts';
import { isSystemError, messageOf } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { SourceMemory, Subscribed } from '../../ingest/mqtt-source/mqtt-source.ts';
import { replaceFile } from '../replace-file.ts';

const fileName = 'mqtt-sources.json';
const formatVersion = 1;

/** What the sources have subscribed to, in `mqtt-sources.json`, over restarts. Without it they subscribe once more. */
export class SourceMemories {
  readonly #disk: Disk;
  readonly #logger: Logger;
  readonly #subscribed: Map<string, Subscribed>;
  /** One write after the other. */
  #written: Promise<void> = Promise.resolve();

  private constructor(disk: Disk, logger: Logger, subscribed: Map<string, Subscribed>) {
    this.#disk = disk;
    this.#logger = logger;
    this.#subscribed = subscribed;
  }

  /** Reads the file; one that is missing or damaged counts as empty. */
  static async open(disk: Disk, logger: Logger): Promise<SourceMemories> {
    return new SourceMemories(disk, logger, await readFile(disk, logger));
  }

  /** That of the source of this name. */
  of(name: string): SourceMemory {
    return {
      recall: () => this.#subscribed.get(name) ?? null,
      remember: async (subscribed) => {
        if (JSON.stringify(this.#subscribed.get(name)) === JSON.stringify(subscribed)) return;
        this.#subscribed.set(name, subscribed);
        this.#written = this.#written.then(() => this.#write());
        await this.#written;
      },
    };
  }

  async #write(): Promise<void> {
    const content = { version: formatVersion, sources: Object.fromEntries(this.#subscribed) };
    try {
      await replaceFile(this.#disk, fileName, Buffer.from(`${JSON.stringify(content)}\n`));
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#logger.warn(
        { cause: messageOf(error) },
        `${fileName} cannot be written: after the next start brokers may send their retained messages once more; make room on the disk, or let this user write the data folder`,
      );
    }
  }
}

async function readFile(disk: Disk, logger: Logger): Promise<Map<string, Subscribed>> {
  try {
    if (!(await disk.list('')).includes(fileName)) return new Map();
    const file = await disk.open(fileName);
    const bytes = new Uint8Array(limits.mqttSourcesFileBytesMax);
    const length = await file.readAt(bytes, 0).finally(() => file.close());
    const content: unknown = JSON.parse(Buffer.from(bytes.subarray(0, length)).toString());
    const { version, sources } = fieldsOf(content);
    if (version !== formatVersion) throw new SyntaxError(`its version is not ${formatVersion}`);
    return new Map(
      Object.entries(fieldsOf(sources)).filter((entry) => isSubscribed(entry[1])) as [string, Subscribed][],
    );
  } catch (error) {
    if (!isSystemError(error) && !(error instanceof SyntaxError)) throw error;
    logger.warn(
      { cause: messageOf(error) },
      `${fileName} cannot be read: brokers may send their retained messages once more`,
    );
    return new Map();
  }
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

function isSubscribed(value: unknown): value is Subscribed {
  const { session, topics, qos } = fieldsOf(value);
  const areTopics = Array.isArray(topics) && topics.every((topic) => typeof topic === 'string');
  return typeof session === 'string' && areTopics && (qos === 1 || qos === 2);
}
