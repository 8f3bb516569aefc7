import { limits } from '../../src/core/limits.ts';
import type { SerialPortConfig } from '../../src/edge/config/serial-section.ts';

/** A configured port with the defaults of the configuration. */
export const serialPort = (name: string, path: string): SerialPortConfig => ({
  name,
  wish: { path },
  baud: 9600,
  dataBits: 8,
  parity: 'none',
  stopBits: 1,
  flow: 'none',
  readPauseMs: limits.serialReadPauseMsMax,
  framing: { type: 'line', delimiter: Uint8Array.of(0x0a), lengthMax: limits.serialFrameBytesMax },
  decoder: { type: 'json' },
  stalledAfter: undefined,
  commands: undefined,
});
