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
  /** The system has not taken a command in time. The port has to be closed: it may not be read while a write waits. */
  readonly onStuck: (reason: string) => void;
}

/**
 * Sends the commands of an open port, one at a time, until the signal is aborted, they are over, or one is not taken within
 * `limits.serialWriteTimeoutMs`. A round that took longer than `everyMs` is not made up for.
 */
export async function sendCommands(options: SendOptions, signal: AbortSignal): Promise<void> {
  const { commands, clock } = options;
  const ended = Promise.withResolvers<null>();
  signal.addEventListener('abort', () => ended.resolve(null), { once: true });
  const sendAll = async (all: readonly Uint8Array[]): Promise<boolean> => {
    for (const bytes of all) {
      await clock.sleep(commands.pauseMs, signal);
      if (signal.aborted || !(await send(bytes, options, ended.promise))) return false;
    }
    return true;
  };
  if (!(await sendAll(commands.start))) return;
  while (commands.poll.length > 0) {
    const nextMs = clock.monotonicMs() + commands.everyMs;
    if (!(await sendAll(commands.poll))) return;
    await clock.sleep(Math.max(0, nextMs - clock.monotonicMs()), signal);
  }
}

/** Whether to go on: not if the system has not answered in time, or `ended` has resolved before. */
async function send(bytes: Uint8Array, options: SendOptions, ended: Promise<null>): Promise<boolean> {
  const { write, clock, onSent, onFailed, onStuck } = options;
  const timer = new AbortController();
  const timeout = clock.sleep(limits.serialWriteTimeoutMs, timer.signal).then(() => 'late' as const);
  const answer = await Promise.race([answerTo(write(bytes)), timeout, ended]);
  timer.abort();
  if (answer === null) return false;
  if (answer === 'late') {
    onStuck('it does not take a command; does the device hold its line back, or is serial.flow wrong?');
    return false;
  }
  if (answer.refusal === null) onSent(bytes);
  else onFailed(answer.refusal);
  return true;
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
