/** What was read from bytes, or why it could not be, in words. */
export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: string };

/** A JSON object in UTF-8 whose `version` is the one given. */
export function parseObject(bytes: Uint8Array, version: number): Parsed<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { ok: false, reason: 'it is not JSON' };
  }
  if (!isObject(value)) return { ok: false, reason: 'it is not a JSON object' };
  if (value['version'] === version) return { ok: true, value };
  const found = JSON.stringify(value['version']);
  return { ok: false, reason: `its version is ${found}, and this release reads ${version}` };
}

/** An offset of a partition, or a number of bytes; nothing else. */
export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
