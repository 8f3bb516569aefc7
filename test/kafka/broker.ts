import type { ChildProcess } from 'node:child_process';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isOpen } from './ports.ts';
import { ended, hasEnded, start } from './processes.ts';
import { until } from './until.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const LOG_TAIL_LINES = 40;

export type Properties = Readonly<Record<string, string | number | boolean>>;

export interface BrokerOptions {
  readonly nodeId: number;
  readonly port: number;
  /** For its settings, its data and its log; created here. */
  readonly folder: string;
  /** Parameters of `java` before the name of the class. */
  readonly java: readonly string[];
  readonly properties: Properties;
}

/** One process of Kafka, broker and controller in one. */
export class Broker {
  readonly nodeId: number;
  readonly port: number;
  readonly logFile: string;
  readonly #options: BrokerOptions;
  readonly #settingsFile: string;
  #process: ChildProcess | undefined;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.nodeId = options.nodeId;
    this.port = options.port;
    this.logFile = join(options.folder, 'kafka.log');
    this.#settingsFile = join(options.folder, 'server.properties');
  }

  get isRunning(): boolean {
    return this.#process !== undefined && !hasEnded(this.#process);
  }

  /** Writes the settings and makes the empty data folder, as Kafka asks once before the first start. */
  async format(clusterId: string, features: readonly string[], users: readonly string[]): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true });
    const properties = { ...this.#options.properties, 'log.dirs': join(this.#options.folder, 'data') };
    const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(this.#settingsFile, lines.join(''));
    const levels = features.flatMap((feature) => ['--feature', feature]);
    const format = [
      'kafka.tools.StorageTool',
      'format',
      '-t',
      clusterId,
      '-c',
      this.#settingsFile,
      ...levels,
      ...users.flatMap((user) => ['--add-scram', user]),
    ];
    const code = await ended(await this.#java(format));
    if (code !== 0) throw await this.#failure('its storage could not be formatted');
  }

  /** Resolves when the broker accepts clients. */
  async start(): Promise<void> {
    if (this.isRunning) throw new Error(`broker ${this.nodeId} runs already`);
    const child = await this.#java(['kafka.Kafka', this.#settingsFile]);
    this.#process = child;
    try {
      await until('its port is open', START_TIMEOUT_MS, async () => {
        if (hasEnded(child)) throw new Error('it ended while starting');
        return (await isOpen(this.port)) || undefined;
      });
    } catch (error) {
      throw await this.#failure(String(error));
    }
  }

  /** The power cut: ends the process at once. */
  async kill(): Promise<void> {
    const child = this.#child();
    child.kill('SIGKILL');
    await ended(child);
  }

  /** The clean stop. */
  async stop(): Promise<void> {
    const child = this.#child();
    child.kill('SIGTERM');
    try {
      await until('it stops', STOP_TIMEOUT_MS, () => Promise.resolve(hasEnded(child) || undefined));
    } catch (error) {
      throw await this.#failure(String(error));
    }
  }

  #child(): ChildProcess {
    if (this.#process === undefined || !this.isRunning)
      throw new Error(`broker ${this.nodeId} is not running`);
    return this.#process;
  }

  async #java(parameters: readonly string[]): Promise<ChildProcess> {
    const log = await open(this.logFile, 'a');
    try {
      return start('java', [...this.#options.java, ...parameters], ['ignore', log.fd, log.fd]);
    } finally {
      await log.close();
    }
  }

  async #failure(what: string): Promise<Error> {
    const lines = (await readFile(this.logFile, 'utf8')).trimEnd().split('\n');
    const tail = lines.slice(-LOG_TAIL_LINES).join('\n');
    return new Error(`broker ${this.nodeId}: ${what}\nThe end of ${this.logFile}:\n${tail}`);
  }
}
