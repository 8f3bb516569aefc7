/**
 * Kafka's murmur2 of a key (`org.apache.kafka.common.utils.Utils.murmur2`), seed 0x9747b28c, as a signed 32-bit
 * number. MurmurHash2 is by Austin Appleby.
 */
export function murmur2(bytes: Uint8Array): number {
  const m = 0x5bd1e995;
  const at = (index: number): number => bytes[index] as number;
  const wholeWords = bytes.length & ~3;
  let hash = 0x9747b28c ^ bytes.length;
  for (let index = 0; index < wholeWords; index += 4) {
    const littleEndian = at(index) | (at(index + 1) << 8) | (at(index + 2) << 16) | (at(index + 3) << 24);
    const word = Math.imul(littleEndian, m);
    hash = Math.imul(hash, m) ^ Math.imul(word ^ (word >>> 24), m);
  }
  if (wholeWords < bytes.length) {
    for (let index = wholeWords; index < bytes.length; index += 1)
      hash ^= at(index) << (8 * (index - wholeWords));
    hash = Math.imul(hash, m);
  }
  hash = Math.imul(hash ^ (hash >>> 13), m);
  return hash ^ (hash >>> 15);
}

/** The partition of a key, as Kafka's default partitioner for keyed records decides it. */
export const partitionForKey = (key: Uint8Array, partitions: number): number =>
  (murmur2(key) & 0x7fffffff) % partitions;
