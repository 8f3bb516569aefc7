/**
 * The world failed, or somebody asked for what cannot be: never a bug of ours (those are plain `Error`s and crash
 * the process). The message says what happened and what to do next; `code` is for programs.
 */
export class OperatingError extends Error {
  readonly code: ErrorCode;
  override readonly name = 'OperatingError';

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type ErrorCode =
  /** The log cannot make anything durable now; the same records may be offered again later. */
  | 'log-unavailable'
  /** More bytes wait for a commit than the limit allows; the same records may be offered again later. */
  | 'log-overloaded'
  /** Records could not be moved into segments; they are safe in the journal. */
  | 'sealing-failed'
  | 'unknown-topic'
  | 'topic-exists'
  /** The configuration names the topic, and wins. */
  | 'topic-configured'
  /** Something of the gateway writes to the topic. */
  | 'topic-in-use'
  | 'contradictory-settings'
  | 'illegal-topic'
  | 'illegal-partition'
  | 'too-many-partitions'
  | 'too-many-deleted-topics'
  | 'user-exists'
  | 'unknown-user'
  /** A name, password or pattern that cannot be. */
  | 'illegal-user'
  | 'too-many-users'
  | 'record-too-large'
  | 'offset-out-of-range'
  /** A data folder written by a later version, or not by this product. */
  | 'unreadable-format'
  | 'data-folder-in-use'
  | 'data-folder-unusable'
  | 'port-unusable'
  | 'bad-configuration'
  | 'gateway-not-running'
  /** The running gateway answered a request of the command line with an error. */
  | 'gateway-refused'
  /** The running gateway did not answer, or not to the end. */
  | 'gateway-unreachable'
  /** What a command was given on standard input cannot be used. */
  | 'bad-input'
  /** What a command prints cannot be written. */
  | 'output-failed';

/** Whether the world failed, rather than we. */
export const isOperatingError = (error: unknown): error is OperatingError => error instanceof OperatingError;

/** Whether a call of the operating system failed: the world's fault, not ours. */
export const isSystemError = (error: unknown): error is Error => error instanceof Error && 'syscall' in error;

/** The text of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A broken assumption of ours: crashes, so that the normal start recovers. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`broken assumption: ${message}`);
}
