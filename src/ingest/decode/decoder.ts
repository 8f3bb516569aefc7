/** What a decoder finds wrong. */
export type DecodeProblem = 'not-utf-8' | 'not-json' | 'not-an-object';

/** The readings of one frame as one JSON object in UTF-8, or why there are none. */
export type Decoded = { readonly value: Uint8Array } | { readonly problem: DecodeProblem };

/** Understands a frame. It never throws, whatever the bytes are. */
export type Decoder = (frame: Uint8Array) => Decoded;
