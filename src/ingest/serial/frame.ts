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
export type FrameProblem = 'frame-too-long' | 'frame-incomplete' | 'frame-garbled';

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

/** What a decoder finds wrong. */
export type DecodeProblem = 'not-utf-8' | 'not-json' | 'not-an-object';

/** The readings of one frame as one JSON object in UTF-8, or why there are none. */
export type Decoded = { readonly value: Uint8Array } | { readonly problem: DecodeProblem };

/** Understands a frame. It never throws, whatever the bytes are. */
export type Decoder = (frame: Uint8Array) => Decoded;
