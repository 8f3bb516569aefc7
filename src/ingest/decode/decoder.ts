/** What a decoder finds wrong. */
export const decodeProblems = [
  'not-utf-8',
  'not-json',
  'not-an-object',
  'not-a-number',
  'not-key-value',
  'not-a-sentence',
  'not-a-telegram',
  'not-a-reading',
  'no-match',
  'no-values',
  'bad-checksum',
  'too-long',
  'wrong-columns',
  'wrong-length',
] as const;

export type DecodeProblem = (typeof decodeProblems)[number];

/**
 * The readings of one frame as one JSON object in UTF-8 of at most `limits.decodedBytesMax` bytes (the decoder `raw`
 * alone gives bytes that may be none), or why there are none.
 */
export type Decoded = { readonly value: Uint8Array } | { readonly problem: DecodeProblem };

/**
 * Understands a frame of at most `limits.serialFrameBytesMax` bytes. It never throws, whatever the bytes are, keeps
 * nothing of them, and gives the same for the same. The value may be the frame itself.
 */
export type Decoder = (frame: Uint8Array) => Decoded;
