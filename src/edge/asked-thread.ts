import { extname } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * A thread that answers requests, one at a time. It is started with the first one. If it dies, the request in hand is rejected and the next one
 * gets a new thread.
 */
export class AskedThread<Request, Answer> {
  readonly #url: URL;
  readonly #options: WorkerOptions;
  #worker: Worker | undefined;

  /** @param source the module that runs there, as source; it is taken as emitted JavaScript where this one is that */
  constructor(source: URL, options: WorkerOptions) {
    this.#url = new URL(source.href.replace(/\.ts$/, extname(import.meta.url)));
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  /** Not to be called again before it has answered. Rejects with an Error that says why, if the thread dies. */
  ask(request: Request): Promise<Answer> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const onError = (error: unknown): void => reject(new Error(String(error)));
      const onExit = (code: number): void => reject(new Error(`exit code ${code}`));
      worker.once('error', onError);
      worker.once('exit', onExit);
      worker.once('message', (answer: Answer) => {
        worker.off('error', onError);
        worker.off('exit', onExit);
        resolve(answer);
      });
      worker.postMessage(request);
    });
  }

  /** Ends the thread, whatever it does. */
  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#url, this.#options);
    // An error without a listener would end the gateway; the request that is in hand hears of it.
    worker.on('error', () => {});
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    return worker;
  }
}
