/* The stream of what happens, opened again whenever it breaks. */

/** @typedef {import('../admin/page-frame.ts').PageFrame} PageFrame */
/** @typedef {'live' | 'connecting' | 'stale' | 'refused' | 'closed'} LiveState */

const retryMilliseconds = 2_000;
const staleMilliseconds = 5_000;
/** A stream may hang without breaking, as that of a phone that has left the network. */
const hungMilliseconds = 15_000;
const lookMilliseconds = 500;

export class Live {
  #onFrame;
  #onState;
  #leaving = new AbortController();
  #heardMs = performance.now();
  #isStopped = false;
  /** @type {LiveState} */
  #state = 'connecting';
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #looking;

  /**
   * @param {(frame: PageFrame) => void} onFrame
   * @param {(state: LiveState, why: string) => void} onState hears of each change; `refused`: the gateway says why, and is asked again;
   *   `closed`: a login is needed, and nothing is tried any more
   */
  constructor(onFrame, onState) {
    this.#onFrame = onFrame;
    this.#onState = onState;
  }

  start() {
    this.#looking = setInterval(() => this.#look(), lookMilliseconds);
    document.addEventListener('visibilitychange', this.#hide);
    void this.#run();
  }

  stop() {
    this.#isStopped = true;
    clearInterval(this.#looking);
    document.removeEventListener('visibilitychange', this.#hide);
    this.#leaving.abort();
  }

  /** Few can look at once: who has another tab before this one does not. */
  #hide = () => {
    if (document.hidden) this.#leaving.abort();
    else this.#heardMs = performance.now();
  };

  async #run() {
    while (!this.#isStopped) {
      if (document.hidden) await shown();
      await this.#read();
      if (this.#state === 'live') this.#show('connecting');
      if (!this.#isStopped && !document.hidden) await pause(retryMilliseconds);
    }
  }

  /** Shows frames for as long as they come. */
  async #read() {
    this.#leaving = new AbortController();
    try {
      const response = await fetch('/api/events', { signal: this.#leaving.signal });
      if (response.status === 401) {
        this.stop();
        this.#show('closed');
      } else if (response.ok && response.body !== null) await this.#readFrames(response.body);
      else this.#show('refused', (await response.json()).error?.message ?? '');
    } catch (error) {
      // It broke, or was left.
      if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
    }
  }

  /** @param {ReadableStream<Uint8Array<ArrayBuffer>>} body */
  async #readFrames(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const events = (text + piece.value).split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        this.#heardMs = performance.now();
        this.#show('live');
        this.#onFrame(JSON.parse(event.slice('data: '.length)));
      }
    }
  }

  #look() {
    const silentMs = performance.now() - this.#heardMs;
    if (document.hidden || silentMs < staleMilliseconds) return;
    if (this.#state !== 'refused') this.#show('stale');
    if (silentMs < hungMilliseconds) return;
    this.#heardMs = performance.now() - staleMilliseconds;
    this.#leaving.abort();
  }

  /** @param {LiveState} state @param {string} [why] */
  #show(state, why = '') {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState(state, why);
  }
}

/** @param {number} milliseconds @returns {Promise<void>} */
const pause = (milliseconds) => new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** @returns {Promise<void>} */
const shown = () =>
  new Promise((resolve) => document.addEventListener('visibilitychange', () => resolve(), { once: true }));
