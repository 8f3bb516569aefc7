import { isUtf8 } from 'node:buffer';
import type { PortEvent } from '../../ingest/serial/port-watchers.ts';

/** A {@link PortEvent} as JSON has it: bytes in hex digits, the value of a record as text if it is UTF-8. */
export interface PortEventJson {
  readonly kind: PortEvent['kind'];
  readonly atMs: number;
  readonly state?: string;
  readonly device?: string | null;
  readonly hex?: string;
  readonly value?: string;
  readonly valueHex?: string;
  readonly problem?: string;
  readonly count?: number;
}

/** An event for a program. */
export function portEventJson(event: PortEvent): PortEventJson {
  if (!('bytes' in event)) return event;
  const { bytes, ...rest } = event;
  const hex = Buffer.from(bytes).toString('hex');
  if (rest.kind !== 'frame') return { ...rest, hex };
  const { value, ...frame } = rest;
  const text = Buffer.from(value);
  return {
    ...frame,
    hex,
    ...(isUtf8(text) ? { value: text.toString() } : { valueHex: text.toString('hex') }),
  };
}
