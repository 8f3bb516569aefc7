import { isOperatingError, OperatingError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { countFromZero, type Metrics } from '../core/metrics.ts';
import { type ConfigChanges, configChanges } from './config/config-changes.ts';
import type { Config } from './config/schema.ts';

/** What became of a reload: the names of settings that count now, and of those that count after a restart. */
export type ReloadOutcome = Pick<ConfigChanges, 'applied' | 'needsRestart'>;

export interface ConfigReloadsOptions {
  /** What the gateway was started with. */
  readonly config: Config;
  /** Reads and checks the configuration as it is now. @throws OperatingError `bad-configuration` */
  readonly reread: () => Promise<Config>;
  /**
   * Makes this one count, as far as it counts at once. Whatever can fail is done first.
   * @throws OperatingError if it does not count
   */
  readonly apply: (config: Config) => Promise<void>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Takes up what has changed in the configuration while the gateway runs, one reload after the other. */
export class ConfigReloads {
  readonly #options: ConfigReloadsOptions;
  #config: Config;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ConfigReloadsOptions) {
    this.#options = options;
    this.#config = options.config;
    const outcomes = ['applied', 'unchanged', 'refused'];
    countFromZero(options.metrics, 'headwater_config_reloads_total', 'outcome', outcomes);
  }

  /**
   * Reads the configuration again, checks the whole of it, and makes count what can at once. What becomes of it is in the service
   * log as well.
   * @throws OperatingError `bad-configuration` with every problem, or as `apply`: then the configuration before still counts
   */
  reload(): Promise<ReloadOutcome> {
    const turn = this.#last.then(() => this.#reload());
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #reload(): Promise<ReloadOutcome> {
    const { logger, metrics } = this.#options;
    try {
      const { applied, needsRestart } = await this.#takeUp();
      const outcome = applied.length > 0 ? 'applied' : 'unchanged';
      metrics.add('headwater_config_reloads_total', 1, { outcome });
      logger.info(
        { applied, needsRestart },
        `the configuration was read again: ${inWords({ applied, needsRestart })}`,
      );
      return { applied, needsRestart };
    } catch (error) {
      if (!isOperatingError(error)) throw error;
      metrics.add('headwater_config_reloads_total', 1, { outcome: 'refused' });
      const message = `the configuration before still counts; what is wrong with the new one:\n${error.message}`;
      logger.error({ problems: error.message.split('\n') }, message);
      throw new OperatingError(error.code, message, { cause: error });
    }
  }

  async #takeUp(): Promise<ConfigChanges> {
    const changes = configChanges(this.#config, await this.#options.reread());
    if (changes.applied.length > 0) await this.#options.apply(changes.config);
    this.#config = changes.config;
    return changes;
  }
}

function inWords({ applied, needsRestart }: ReloadOutcome): string {
  const now =
    applied.length === 0 ? 'nothing has changed that counts at once' : `counts now: ${applied.join(', ')}`;
  return needsRestart.length === 0 ? now : `${now}; needs a restart: ${needsRestart.join(', ')}`;
}
