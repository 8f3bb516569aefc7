/** One whole serial message, or bytes that are none. */
export interface Frame {
  readonly bytes: Uint8Array;
  /** When its first byte was received, by the monotonic clock, milliseconds. */
  readonly receivedMs: number;
  /** Why it is no message; null for a good one. */
  readonly problem: FrameProblem | null;
}

/**
 * What a framer finds wrong. Garbled are bytes that belong to no good frame: noise, or what bytes lost or damaged have
 * left of one.
 */
export const frameProblems = ['frame-too-long', 'frame-incomplete', 'frame-garbled'] as const;

export type FrameProblem = (typeof frameProblems)[number];

/** Finds the frames in the bytes of one port. Bounded and in linear time, whatever the bytes are; it never throws. */
export interface Framer {
  /**
   * Takes bytes as they come; gives the frames that are whole with them. It keeps no reference to `chunk`.
   * @param receivedMs when the gateway got them, by the monotonic clock, milliseconds
   */
  push(chunk: Uint8Array, receivedMs: number): readonly Frame[];
  /** The stream was interrupted: gives what was begun as bad frames, with good ones that may be in it, and starts anew. */
  interrupt(): readonly Frame[];
}
