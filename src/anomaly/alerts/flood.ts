import { alertMemoPrefix } from './alert.ts';

/** More was found than there is room for. */
export interface Flood {
  /** Findings that no alert was made of. */
  readonly heldBack: number;
}

const VERSION = 1;

/** The key under which the log keeps it. */
export const floodMemoKey = `${alertMemoPrefix}flood`;

/** A flood as bytes: the version of the form, then the number in decimal digits. */
export const encodeFlood = ({ heldBack }: Flood): Uint8Array =>
  Buffer.concat([Uint8Array.of(VERSION), Buffer.from(`${heldBack}`)]);

/** The reverse of {@link encodeFlood}, or why it cannot be read, in words. */
export function decodeFlood(
  bytes: Uint8Array,
): { readonly ok: true; readonly flood: Flood } | { readonly ok: false; readonly reason: string } {
  const heldBack = Number(Buffer.from(bytes.subarray(1)).toString('latin1'));
  return bytes[0] === VERSION && Number.isSafeInteger(heldBack) && heldBack > 0
    ? { ok: true, flood: { heldBack } }
    : { ok: false, reason: 'it is not a number of findings' };
}
