import assert from 'node:assert';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { PortEventJson } from '../../src/edge/admin/port-event-json.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import type { ExpectedRecord } from '../support/expected-records.ts';
import type { RunningGateway } from '../support/gateway-process.ts';
import type { PseudoTerminals } from '../support/pseudo-terminals.ts';
import { GAP_MS, type Step } from './serial-captures.ts';

/** Surely longer than the gap, whatever timers round. */
const PAUSE_MS = GAP_MS + 20;

/** A device that hears what the gateway has read of it, by watching its port, so that it can say where two reads meet. */
export class HeardDevice implements AsyncDisposable {
  readonly #terminals: PseudoTerminals;
  readonly #events: AsyncIterator<string>;
  readonly #gone: AbortController;

  private constructor(terminals: PseudoTerminals, events: AsyncIterator<string>, gone: AbortController) {
    this.#terminals = terminals;
    this.#events = events;
    this.#gone = gone;
  }

  /** Watches the open port of that name, to which nothing has been sent yet. */
  static async watch(
    gateway: RunningGateway,
    name: string,
    terminals: PseudoTerminals,
  ): Promise<HeardDevice> {
    const gone = new AbortController();
    const { body } = await gateway.api(`/api/serial/${name}/events`, { signal: gone.signal });
    assert(body !== null);
    const lines = createInterface({ input: Readable.fromWeb(body) });
    return new HeardDevice(terminals, lines[Symbol.asyncIterator](), gone);
  }

  /** Sends the step; gives what is expected of it. */
  async send(step: Step): Promise<readonly ExpectedRecord[]> {
    const startedMs = nodeClock.monotonicMs();
    for (const write of step.writes) await this.#sendAndHear(write);
    const isTorn = step.pause !== 'any' && nodeClock.monotonicMs() - startedMs >= GAP_MS;
    // The pause is a part of what is sent. It begins when all before it is known to have been read.
    if (step.pause === 'follows' || isTorn) await nodeClock.sleep(PAUSE_MS);
    if (!isTorn) return step.expected;
    // The machine may have made a pause where none was meant. Then frames may have been cut anywhere, and it is sent again.
    const anything = step.expected.map(() => ({ value: 'any', isNeeded: false }));
    return [...anything, ...(await this.send(step))];
  }

  /** Resolves when the gateway has read them. */
  async #sendAndHear(bytes: Uint8Array): Promise<void> {
    await this.#terminals.send(bytes);
    for (let heard = 0; heard < bytes.length; ) {
      const { done, value } = await this.#events.next();
      assert(done !== true, 'the gateway ended the watch of the port');
      const { kind, hex = '' } = JSON.parse(value) as PortEventJson;
      assert(kind !== 'missed', 'the gateway could not tell all that it read');
      if (kind === 'received') heard += hex.length / 2;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#gone.abort();
    return Promise.resolve();
  }
}
