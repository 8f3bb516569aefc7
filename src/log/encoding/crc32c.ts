import { crc32c as nativeCrc32c } from '@node-rs/crc32';

/** CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of Kafka's record batches and of the journal. */
export function crc32c(bytes: Uint8Array): number {
  return nativeCrc32c(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
