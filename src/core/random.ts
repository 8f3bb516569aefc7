/** The only source of randomness: the operating system's in the daemon, a seed in tests. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** `count` random bytes, unpredictable where the implementation is the operating system's. */
  bytes(count: number): Uint8Array;
}
