/* The stream of what happens, opened again whenever it breaks. */
import { ask, Refused } from './api.js';

/** @typedef {import('../admin/page-frame.ts').PageFrame} PageFrame */
/** @typedef {'live' | 'connecting' | 'stale' | 'closed'} LiveState */

const retryMilliseconds = 2_000;
const staleMilliseconds = 5_000;
const lookMilliseconds = 500;

export class Live {
  #onFrame;
  #onState;
  /** @type {EventSource | null} */
  #source = null;
  #heardMs = 0;
  #isStopped = false;
  /** @type {LiveState} */
  #state = 'connecting';
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #looking;

  /**
   * @param {(frame: PageFrame) => void} onFrame
   * @param {(state: LiveState) => void} onState hears of each change; `closed`: a login is needed, and nothing is tried any more
   */
  constructor(onFrame, onState) {
    this.#onFrame = onFrame;
    this.#onState = onState;
  }

  start() {
    this.#heardMs = performance.now();
    this.#looking = setInterval(() => this.#look(), lookMilliseconds);
    this.#open();
  }

  stop() {
    this.#isStopped = true;
    clearInterval(this.#looking);
    this.#source?.close();
  }

  #open() {
    if (this.#isStopped) return;
    const source = new EventSource('/api/events');
    this.#source = source;
    source.addEventListener('message', ({ data }) => {
      this.#heardMs = performance.now();
      this.#show('live');
      this.#onFrame(JSON.parse(data));
    });
    source.addEventListener('error', () => void this.#again(source));
  }

  /** A broken stream does not say why: perhaps nobody is logged in any more. @param {EventSource} source */
  async #again(source) {
    source.close();
    if (this.#isStopped || source !== this.#source) return;
    this.#source = null;
    if (this.#state === 'live') this.#show('connecting');
    try {
      const { state } = /** @type {{ state: string }} */ (await ask('GET', '/api/session'));
      if (state !== 'open') {
        this.stop();
        this.#show('closed');
        return;
      }
    } catch (error) {
      if (!(error instanceof Refused || error instanceof TypeError)) throw error;
    }
    setTimeout(() => this.#open(), retryMilliseconds);
  }

  /** A stream may hang without breaking, as that of a phone that left the network. */
  #look() {
    const silentMs = performance.now() - this.#heardMs;
    if (silentMs < staleMilliseconds) return;
    this.#show('stale');
    if (this.#source !== null && silentMs > 3 * staleMilliseconds) {
      this.#heardMs = performance.now() - staleMilliseconds;
      void this.#again(this.#source);
    }
  }

  /** @param {LiveState} state */
  #show(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState(state);
  }
}
