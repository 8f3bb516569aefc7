import { PassThrough } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AdminClient } from '../../../src/edge/cli/admin-client.ts';
import { watchStatus } from '../../../src/edge/cli/status.ts';
import { attention } from '../../../src/edge/cli/status-attention.ts';
import { RatesWatcher } from '../../../src/edge/cli/status-rates.ts';
import { statusText } from '../../../src/edge/cli/status-text.ts';
import { Output, type Terminal } from '../../../src/edge/cli/terminal.ts';
import { wrappedLines } from '../../../src/edge/cli/wrapped-lines.ts';
import type { StatusReport, TopicStatus } from '../../../src/edge/status.ts';
import { drainingForwarder } from '../../support/forwarder-status.ts';
import { FakeGateway, json, session } from './fake-gateway.ts';
import { statusReport } from './status-report.ts';

const nowMs = Date.UTC(2026, 0, 1);
const dayMs = 24 * 3600 * 1000;

const topic = (name: string, records: number): TopicStatus => ({
  name,
  partitions: [{ partition: 0, logStartOffset: 5, highWatermark: 5 + records }],
});

const withUsed = (usedBytes: number, uptimeSeconds = 10): StatusReport => ({
  ...statusReport,
  uptimeSeconds,
  log: { ...statusReport.log, usedBytes, budgetBytes: 1000 },
});

const certified = (validToMs: number, problems: readonly string[] = []): StatusReport => ({
  ...statusReport,
  tls: { certificateFile: 'c.pem', fingerprint: 'AB', validToMs, clientCertificates: 'off', problems },
});

describe('what needs somebody', () => {
  test('is nothing while all is well, also with a certificate that lasts and a backlog that drains', () => {
    const well = { ...certified(nowMs + 31 * dayMs), forwarder: { ...drainingForwarder(), warnings: [] } };
    expect(attention(well, nowMs)).toEqual([]);
    expect(statusText(well, nowMs)).toMatch(/^gw1 is ready, and all is well\n/);
  });

  test.each<[string, Partial<StatusReport>, string | RegExp]>([
    ['users', { users: { count: 0, anonymous: 'nobody', problem: 'x' } }, 'nobody can log in: x'],
    ['expiry', certified(nowMs + 29 * dayMs), /ends in 29 d: renew c\.pem$/],
    ['expired', certified(nowMs - 1), /has expired: renew c\.pem$/],
    ['tls', certified(nowMs + 99 * dayMs, ['mqtt.tls.certFile: copy it']), 'mqtt.tls.certFile: copy it'],
    [
      'budget',
      { ...withUsed(960), forwarder: { ...drainingForwarder(), warnings: [] } },
      /^the disk budget is nearly used up, and 120007 records have yet to be sent.*raise data\.budget$/,
    ],
    [
      'stale',
      { forwarder: { ...drainingForwarder(), isStale: true, warnings: [], message: 'refused' } },
      '120007 records wait, and none leave: refused',
    ],
    [
      'mirror',
      { forwarder: { ...drainingForwarder(), state: 'backing-off', warnings: [], message: 'no such user' } },
      'the mirror: no such user',
    ],
    ['card', { card: { ...statusReport.card, usedShare: 0.93 } }, /nearly worn out \(93 %\): replace it$/],
    ['clock', { clock: { isSet: false, epoch: 1 } }, /^the clock is not set: .*time server/],
    [
      'gaps',
      { topics: [topic('gaps', 1)] },
      '1 entry in the ledger of losses: headwater consume gaps --from-beginning',
    ],
    [
      'dead letters',
      { topics: [topic('dead-letters', 2)] },
      /^2 messages that could not be read: headwater consume/,
    ],
  ])('%s', (_, part, sentence) => {
    const report = { ...statusReport, ...part };
    const sentences = attention(report, nowMs);
    expect(sentences).toEqual([typeof sentence === 'string' ? sentence : expect.stringMatching(sentence)]);
    expect(statusText(report, nowMs)).toMatch(/^gw1 is ready, but 1 thing needs you\n {2}wrong {4}/);
  });

  test('comes after why readings are refused, and before all that is well', () => {
    const report = { ...certified(nowMs - 1), state: 'degraded', reasons: ['the disk is full'] } as const;
    expect(statusText(report, nowMs)).toMatch(
      /^gw1 is DEGRADED: it refuses readings now\n {2}because {2}the disk is full\n {2}wrong {4}.*expired.*\narrives\n/,
    );
  });
});

test('a restored gateway says which log was before its own', () => {
  const parentLog = { logId: 'f00d', gateway: 'north', madeAt: '2026-01-31T08:00:00.000Z' };
  expect(statusText({ ...statusReport, parentLog }, nowMs)).toMatch(
    /\n {2}log {6}.*\n {11}begun after a restore: the backup of north of 2026-01-31T08:00:00\.000Z, whose log was f00d\n/,
  );
});

test('names that devices gave themselves cannot drive the terminal', () => {
  const unrouted = [{ mqttTopic: 'a\u001b[2J\nall is well', problem: 'no-route', messages: 1 }] as const;
  const text = statusText({ ...statusReport, mqtt: { ...statusReport.mqtt, unrouted } }, nowMs);
  expect(text).toContain('unrouted a\\u001b[2J\\u000aall is well: 1 message');
});

describe('topics of a status', () => {
  test('are those that matter, with how many more there are', () => {
    const many = Array.from({ length: 12 }, (_, index) => topic(`t${index}`, index));
    const forwarder = {
      ...drainingForwarder(),
      topics: [{ topic: 't1', lagRecords: 7, lagBytes: 1, lagSeconds: 1 }],
    };
    const text = statusText({ ...statusReport, topics: many, forwarder }, nowMs);
    const shown = text.match(/\bt\d+ {2,}\d+ records?\b/g) ?? [];
    expect(shown.map((row) => row.split(' ')[0])).toEqual(['t1', 't11', 't10', 't9', 't8', 't7', 't6', 't5']);
    expect(text).toContain('\n           and 3 more and 1 empty (headwater topics list)\n');
  });
});

describe('lines that are too long', () => {
  test('go on below where their words began, and lose nothing', () => {
    expect(wrappedLines('  disk     one two three four', 24)).toEqual([
      '  disk     one two three',
      '           four',
    ]);
    expect(wrappedLines('short\n  x  abcdefghijkl', 12)).toEqual(['short', '  x  abcdefg', '     hijkl']);
    // Where there is no room for two columns, they go on at the edge.
    expect(wrappedLines('  disk     one two', 12)).toEqual(['  disk', 'one two']);
    expect(wrappedLines('          a b', 4).join('').replaceAll(' ', '')).toBe('ab');
  });
});

describe('rates', () => {
  test('need two looks, and are those of the looks between', () => {
    const rates = new RatesWatcher();
    const at = (records: number, uptimeSeconds: number) => ({
      ...withUsed(10, uptimeSeconds),
      topics: [topic('a', records)],
    });
    expect(rates.look(at(10, 1), 0)).toBeNull();
    expect(rates.look(at(40, 4), 3000)?.arriving.get('a')).toBe(10);
    // A restart of the gateway begins anew.
    expect(rates.look(at(40, 1), 9000)).toBeNull();
  });
});

test('when the disk budget will be reached is told as the gateway forecasts it', () => {
  const filling = { ...statusReport.log, fill: { state: 'filling', secondsLeft: 7200 } as const };
  expect(statusText({ ...statusReport, log: filling }, nowMs)).toContain('; full in 2 h at this rate\n');
  expect(statusText(statusReport, nowMs)).not.toContain('full in');
});

describe('status --watch', () => {
  /** A watch whose gateway may be changed, ended by `stop`. */
  async function watching(isJson: boolean, isTTY: boolean) {
    let gateway = await FakeGateway.start();
    onTestFinished(() => gateway.remove());
    const answerWith = (report: object): void => {
      gateway.answer = (_, response) => json(response, 200, report);
    };
    answerWith(statusReport);
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 60, rows: 12 });
    let written = '';
    stream.on('data', (chunk: Buffer) => {
      written += chunk.toString();
    });
    let stop = (): void => undefined;
    const terminal: Terminal = {
      input: new PassThrough(),
      output: new Output(stream),
      errors: new Output(new PassThrough()),
      isInteractive: false,
      workingDirectory: '/',
      hostName: 'gw1',
      configVariable: undefined,
      onStopSignal: (listener) => {
        stop = listener;
        return () => undefined;
      },
      onReloadSignal: () => () => undefined,
      exitNow: () => undefined,
    };
    const find = () => AdminClient.find(gateway.folder);
    const ended = watchStatus({ find, everyMs: 5, json: isJson }, terminal);
    return {
      ended,
      written: () => written,
      answerWith,
      crash: () => gateway.crash(),
      startAnew: async () => {
        await gateway.remove();
        gateway = await FakeGateway.start();
      },
      stop: () => stop(),
    };
  }

  test('prints one JSON line each, says when the gateway is away, finds it again, and ends with what it saw last', async () => {
    const watch = await watching(true, false);
    await expect.poll(() => watch.written().split('\n').length).toBeGreaterThan(2);
    await watch.crash();
    await expect.poll(watch.written).toContain('"state":"unreachable"');
    await watch.startAnew();
    watch.answerWith({ ...statusReport, state: 'degraded', reasons: ['EIO'] });
    await expect.poll(watch.written).toContain('"reasons":["EIO"]');
    watch.stop();
    expect(await watch.ended).toBe(4);
    const lines = watch.written().trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as StatusReport).state)).toEqual(
      expect.arrayContaining(['ready', 'unreachable', 'degraded']),
    );
  });

  test('draws over itself on a terminal, within its size', async () => {
    const watch = await watching(false, true);
    await expect.poll(() => watch.written().split('\u001b[H').length).toBeGreaterThan(3);
    await watch.crash();
    await expect.poll(watch.written).toContain('the gateway does not answer; waiting for it');
    watch.stop();
    expect(await watch.ended).toBe(3);
    const [before, first = '', ...others] = watch.written().split('\u001b[H');
    expect(before).toBe('\u001b[2J');
    for (const frame of [first, ...others]) {
      const lines = frame.replace('\u001b[J', '').replace('\u001b[2J', '').split('\u001b[K\n');
      expect(lines.length - 1).toBeLessThan(12);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
    }
    expect(first).toMatch(/^gw1 is ready, and all is well/);
    expect(first).toMatch(/… \d+ lines more/);
    expect(others[0]).toContain('0 records/s');
  });

  test('prints one report after the other elsewhere', async () => {
    const watch = await watching(false, false);
    await expect.poll(() => watch.written().split('gw1 is ready').length).toBeGreaterThan(2);
    watch.stop();
    expect(await watch.ended).toBe(0);
    expect(watch.written()).not.toContain('\u001b');
  });

  test('needs a gateway to begin with, and sensible seconds', async () => {
    const gateway = await FakeGateway.start();
    onTestFinished(() => gateway.remove());
    await gateway.crash();
    const words = ['status', '--watch', '--set', `data.dir=${gateway.folder}`];
    expect(await session(words)).toMatchObject({ code: 3, output: '' });
    const { code, errors } = await session(['status', '--watch', '0']);
    expect({ code, errors }).toMatchObject({
      code: 2,
      errors: expect.stringContaining('Write a whole number from 1'),
    });
  });
});
