import type { Clock } from '../../core/clock.ts';
import { isOperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';

/** What a device has to be sent so that it speaks. */
export interface PortCommands {
  /** Once after each opening, in this order. */
  readonly start: readonly Uint8Array[];
  /** Again and again, in this order: one that wakes the device up comes first. */
  readonly poll: readonly Uint8Array[];
  /** From the beginning of one round of `poll` to that of the next. */
  readonly everyMs: number;
  /** Before each command: a device needs a while after its port was opened, or after it was woken up. */
  readonly pauseMs: number;
}

export interface SendOptions {
  readonly commands: PortCommands;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly clock: Clock;
  readonly onSent: (bytes: Uint8Array) => void;
  /** A command could not be sent, for the reason in words. */
  readonly onFailed: (reason: string) => void;
}

/**
 * Sends the commands of an open port until the signal is aborted, or until they are over: one at a time. While the system
 * does not take one, it says so after `limits.serialWriteTimeoutMs` and sends no other. A round that took longer than
 * `everyMs` is not made up for.
 */
export async function sendCommands(options: SendOptions, signal: AbortSignal): Promise<void> {
  const { commands, clock } = options;
  const ended = Promise.withResolvers<null>();
  signal.addEventListener('abort', () => ended.resolve(null), { once: true });
  const sendAll = async (all: readonly Uint8Array[]): Promise<void> => {
    for (const bytes of all) {
      await clock.sleep(commands.pauseMs, signal);
      if (signal.aborted) return;
      await send(bytes, options, ended.promise);
    }
  };
  await sendAll(commands.start);
  while (commands.poll.length > 0 && !signal.aborted) {
    const nextMs = clock.monotonicMs() + commands.everyMs;
    await sendAll(commands.poll);
    await clock.sleep(Math.max(0, nextMs - clock.monotonicMs()), signal);
  }
}

/** Returns when the system has taken the bytes or refused them, whatever that takes, or once `ended` has resolved. */
async function send(bytes: Uint8Array, options: SendOptions, ended: Promise<null>): Promise<void> {
  const { write, clock, onSent, onFailed } = options;
  const answer = answerTo(write(bytes));
  const timer = new AbortController();
  const timeout = clock.sleep(limits.serialWriteTimeoutMs, timer.signal).then(() => 'late' as const);
  const first = await Promise.race([answer, timeout, ended]);
  timer.abort();
  if (first === 'late')
    onFailed(
      'the port does not take a command; does the device hold its line back, or is serial.flow wrong?',
    );
  const last = first === 'late' ? await Promise.race([answer, ended]) : first;
  if (last === null) return;
  if (last.refusal === null) onSent(bytes);
  else onFailed(last.refusal);
}

/** What became of a write: no refusal if the system has taken it. */
async function answerTo(written: Promise<void>): Promise<{ readonly refusal: string | null }> {
  try {
    await written;
    return { refusal: null };
  } catch (error) {
    if (!isOperatingError(error)) throw error;
    return { refusal: error.message };
  }
}
