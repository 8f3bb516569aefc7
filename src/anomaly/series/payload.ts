import { limits } from '../../core/limits.ts';

/** A number that a payload holds. */
export interface Field {
  /** Where in the JSON: names and indexes joined by dots; empty for a payload that is just a number. */
  readonly path: string;
  /** NaN where the payload says that there is none ("NaN", "inf"). */
  readonly value: number;
}

/** What a payload says in numbers. */
export interface PayloadNumbers {
  /** The time of the device, if the payload has it, milliseconds since 1970 UTC. */
  readonly sourceTimeMs: number | null;
  readonly fields: readonly Field[];
}

const nothing: PayloadNumbers = { sourceTimeMs: null, fields: [] };

const openingBrace = 0x7b;
const openingBracket = 0x5b;
const plainNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const noNumber = /^[+-]?(?:nan|inf|infinity)$/i;

/**
 * All numbers in a payload: a plain number, or every number in JSON, with its path. No more than `limits.seriesFieldsMax`, from no
 * payload larger than `limits.seriesPayloadBytesMax`. What is neither has none. Never throws.
 */
export function numbersIn(payload: Uint8Array): PayloadNumbers {
  if (payload.length === 0 || payload.length > limits.seriesPayloadBytesMax) return nothing;
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8').trim();
  const first = text.charCodeAt(0);
  if (first !== openingBrace && first !== openingBracket) return plain(text);
  let tree: unknown;
  try {
    tree = JSON.parse(text);
  } catch {
    return nothing;
  }
  const search = new Search();
  search.visit(tree, '', '', 0);
  return search;
}

function plain(text: string): PayloadNumbers {
  if (text.length > limits.plainNumberLengthMax) return nothing;
  if (plainNumber.test(text)) return { sourceTimeMs: null, fields: [{ path: '', value: Number(text) }] };
  return noNumber.test(text) ? { sourceTimeMs: null, fields: [{ path: '', value: Number.NaN }] } : nothing;
}

/** Goes through JSON as deep as the limits let it. */
class Search implements PayloadNumbers {
  sourceTimeMs: number | null = null;
  readonly fields: Field[] = [];

  visit(node: unknown, path: string, name: string, depth: number): void {
    if (typeof node === 'number' || typeof node === 'string') {
      const timeMs = timeNames.has(name.toLowerCase()) ? timeIn(node) : null;
      if (timeMs !== null) this.sourceTimeMs ??= timeMs;
      else if (typeof node === 'number' && this.fields.length < limits.seriesFieldsMax)
        this.fields.push({ path, value: node });
      return;
    }
    if (typeof node !== 'object' || node === null || depth === limits.seriesDepthMax) return;
    for (const [key, child] of Object.entries(node)) {
      const below = path === '' ? key : `${path}.${key}`;
      if (below.length <= limits.seriesPathLengthMax) this.visit(child, below, key, depth + 1);
    }
  }
}

const timeNames: ReadonlySet<string> = new Set(['t', 'ts', 'time', 'timestamp', 'datetime', 'date']);
const isoTime = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/;

/** A time as devices write it, in milliseconds since 1970 UTC; null if it is none. */
function timeIn(value: number | string): number | null {
  if (typeof value === 'string') {
    const timeMs = isoTime.test(value) ? Date.parse(value) : Number.NaN;
    return Number.isNaN(timeMs) ? null : timeMs;
  }
  // Seconds, milliseconds, microseconds or nanoseconds: each range begins far above the end of the one before.
  for (let perSecond = 1; perSecond <= 1e9; perSecond *= 1000)
    if (
      value >= limits.payloadTimeSecondsMin * perSecond &&
      value <= limits.payloadTimeSecondsMax * perSecond
    )
      return (value / perSecond) * 1000;
  return null;
}
