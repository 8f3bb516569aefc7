import type { PortEventJson } from '../admin/port-event-json.ts';
import { escapedText, hexText } from '../config/byte-text.ts';

/** How many bytes a row of hex digits has, as hexdump does it. */
const rowLength = 16;
const timeWidth = '12:00:00.000'.length;

/** An event for people: its local time, what it is, and what it holds, in one line or several of hex digits. */
export function portEventRows(event: PortEventJson, hex: boolean): readonly string[] {
  const [first = '', ...others] = contentRows(event, hex);
  return [
    `${timeText(event.atMs)}  ${event.kind.padEnd(9)}  ${first}`,
    ...others.map((row) => `${' '.repeat(timeWidth)}  ${' '.repeat(9)}  ${row}`),
  ];
}

function contentRows(event: PortEventJson, hex: boolean): readonly string[] {
  const bytes = Buffer.from(event.hex ?? '', 'hex');
  switch (event.kind) {
    case 'state':
      return [`${event.state}${event.device ? `, ${event.device}` : ''}`];
    case 'received':
    case 'sent':
      return hex ? hexRows(bytes) : [escapedText(bytes)];
    case 'frame':
      return [event.value ?? hexText(Buffer.from(event.valueHex ?? '', 'hex'))];
    case 'bad-frame':
      return [`${event.problem}: ${escapedText(bytes)}`];
    case 'not-sent':
      return [event.problem ?? ''];
    case 'missed':
      return [`${event.count} events: they come faster than they can be shown`];
  }
}

function hexRows(bytes: Uint8Array): readonly string[] {
  const count = Math.ceil(bytes.length / rowLength);
  return Array.from({ length: count }, (_, row) => {
    const part = bytes.subarray(row * rowLength, (row + 1) * rowLength);
    const text = Array.from(part, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'));
    return `${hexText(part).padEnd(rowLength * 3)} |${text.join('')}|`;
  });
}

function timeText(ms: number): string {
  const time = new Date(ms);
  const part = (value: number, width: number): string => String(value).padStart(width, '0');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((value) => part(value, 2));
  return `${clock.join(':')}.${part(time.getMilliseconds(), 3)}`;
}
