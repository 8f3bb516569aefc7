/**
 * Kafka's murmur2 of a key (`org.apache.kafka.common.utils.Utils.murmur2`), seed 0x9747b28c, as a signed 32-bit
 * number. MurmurHash2 is by Austin Appleby.
 */
export function murmur2(bytes: Uint8Array): number {
  const m = 0x5bd1e995;
  const wholeWords = bytes.length & ~3;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let hash = 0x9747b28c ^ bytes.length;
  for (let at = 0; at < wholeWords; at += 4) {
    let word = Math.imul(view.readInt32LE(at), m);
    word = Math.imul(word ^ (word >>> 24), m);
    hash = Math.imul(hash, m) ^ word;
  }
  const rest = view.subarray(wholeWords);
  if (rest.length > 0) {
    for (const [index, byte] of rest.entries()) hash ^= byte << (8 * index);
    hash = Math.imul(hash, m);
  }
  hash = Math.imul(hash ^ (hash >>> 13), m);
  return hash ^ (hash >>> 15);
}

/** The partition of a key, as Kafka's default partitioner for keyed records decides it. */
export const partitionForKey = (key: Uint8Array, partitions: number): number =>
  (murmur2(key) & 0x7fffffff) % partitions;
