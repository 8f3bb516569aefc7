import { describe, expect, test } from 'vitest';
import { devices } from '../../../src/edge/page/devices.js';
import { sentence, troubles } from '../../../src/edge/page/troubles.js';
import type { StatusReport } from '../../../src/edge/status.ts';
import { drainingForwarder } from '../../support/forwarder-status.ts';

const port: StatusReport['serial'][number] = {
  name: 'air',
  wanted: '/dev/serial/by-id/usb-1',
  device: '/dev/ttyUSB0',
  state: 'open',
  frames: 12,
  deadLetters: 1,
  leftOut: 0,
  dropped: 0,
  commands: 0,
  lastFrameMs: 9_000,
  lastError: null,
};

const status = (more: Partial<StatusReport> = {}) =>
  ({
    state: 'ready',
    reasons: [],
    users: { count: 0, anonymous: 'loopback', problem: null },
    tls: null,
    clock: { isSet: true, epoch: 0 },
    serial: [],
    modbus: [],
    mqtt: { sessions: 0, queued: 0, retained: 0, unrouted: [], sources: [] },
    addresses: { mqtt: '127.0.0.1:1883', mqtts: null, ws: null, wss: null, admin: '127.0.0.1:8080' },
    forwarder: null,
    ...more,
  }) as unknown as StatusReport;

const found = (more: Partial<StatusReport>) => troubles(status(more), 10_000);

describe('what is wrong', () => {
  test('is nothing on a gateway that is well, also if it is offline and sends later', () => {
    expect(found({})).toEqual([]);
    expect(
      found({ serial: [port], forwarder: { ...drainingForwarder(), state: 'backing-off', warnings: [] } }),
    ).toEqual([]);
  });

  test('has what refuses readings first', () => {
    const forwarder = { ...drainingForwarder(), isStale: true };
    const all = found({ forwarder, reasons: ['the disk is full'], clock: { isSet: false, epoch: null } });
    expect(all.map(({ tone, what }) => [tone, what])).toEqual([
      ['bad', 'Readings are refused'],
      ['warn', 'The clock is not set'],
      ['warn', 'Nothing arrives in the cluster'],
      ['idle', 'To be known'],
    ]);
    expect(all[0]?.text).toBe('The disk is full.');
  });

  test('names ports that are gone or silent, with why', () => {
    const lastError = { message: 'it was unplugged', atMs: 5_000 };
    expect(found({ serial: [{ ...port, state: 'lost', lastError }] })).toMatchObject([
      { tone: 'warn', what: 'Serial port air', text: expect.stringContaining('It was unplugged. (5 s ago)') },
    ]);
    expect(found({ serial: [{ ...port, state: 'stalled' }] })).toMatchObject([
      { text: 'It is open, but nothing has come for too long.' },
    ]);
  });

  test('is said in sentences', () => {
    expect([sentence('it is so'), sentence('Is it?')]).toEqual(['It is so.', 'Is it?']);
  });
});

describe('ports and devices', () => {
  test('are listed with where they are, how they are, and what came', () => {
    expect(devices(status({ serial: [port] }), 10_000)).toMatchObject([
      { name: 'MQTT', place: '127.0.0.1:1883', tone: 'ok', state: 'listening' },
      {
        name: 'air',
        place: '/dev/ttyUSB0',
        tone: 'ok',
        state: 'open',
        detail: '12 frames · last frame just now · 1 dead letter',
      },
    ]);
  });

  test('that are there, but give nothing, are not called good', () => {
    const [, stalled] = devices(status({ serial: [{ ...port, state: 'stalled' }] }), 10_000);
    expect(stalled).toMatchObject({ tone: 'warn', state: 'open, but silent' });
  });
});
