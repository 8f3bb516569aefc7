import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OperatingError } from '../../../src/core/errors.ts';
import { drainingForwarder } from '../../support/forwarder-status.ts';
import { FakeGateway, json, session } from './fake-gateway.ts';
import { statusReport as report } from './status-report.ts';

let gateway: FakeGateway;

beforeEach(async () => {
  gateway = await FakeGateway.start();
});

afterEach(() => gateway.remove());

const cli = (...words: string[]) => session([...words, '--set', `data.dir=${gateway.folder}`]);

const unset = { value: null, source: 'default' };

const description = {
  name: 'air',
  isConfigured: false,
  writers: [],
  settings: {
    retention: { value: { bytes: 1_073_741_824, ageMs: 2_592_000_000 }, source: 'kept' },
    dropUnforwarded: { value: false, source: 'default' },
    segmentBytes: { value: 8_388_608, source: 'default' },
    compression: { value: 'zstd', source: 'default' },
    priority: { value: 7, source: 'kept' },
    lane: { value: 'bulk', source: 'default' },
    centralPartitions: { value: 6, source: 'kept' },
  },
  partitions: [
    { partition: 0, logStartOffset: 10, highWatermark: 30 },
    { partition: 1, logStartOffset: 0, highWatermark: 3 },
  ],
};

describe('the command line', () => {
  it('prints its version and its help, and ends with 0', async () => {
    expect(await session(['--version'])).toEqual({ code: 0, output: '0.1.0\n', errors: '' });
    const help = await session(['--help']);
    expect(help.code).toBe(0);
    for (const word of ['run', 'status', 'topics', 'produce', 'consume', '--config', '--set']) {
      expect(help.output).toContain(word);
    }
    expect((await session(['consume', '--help'])).output).toContain('--set <setting=value>');
  });

  it.each([
    [[], 'Usage: headwater'],
    [['fly'], "unknown command 'fly'"],
    [['statsu'], 'Did you mean status?'],
    [['status', '--jsno'], 'unknown option'],
    [['topics', 'create'], "missing required argument 'name'"],
    [['topics', 'create', 'a', '--partitions', '0'], 'Write a whole number from 1 to 64.'],
    [['produce', 'a', '--key-separator', ''], 'Write at least one character.'],
    [['consume', 'a'], 'say where to start: --from-beginning, --from-time, --partition P --offset N'],
    [['consume', 'a', '--offset', '1'], '--offset needs --partition'],
    [['consume', 'a', '--partition', '1'], 'say where to start'],
    [['consume', 'a', '--from-beginning', '--partition', '0', '--offset', '1'], 'both say where to start'],
    [['consume', 'a', '--from-beginning', '--from-time', '2h'], '--from-beginning and --from-time both say'],
    [['consume', 'a', '--from-time', 'yesterday'], 'Write a time such as 2026-01-31T08:00'],
    [['topics', 'create', 'a', '--segment', '1G'], 'Write a size from 64KiB to 1GiB, such as'],
    [['topics', 'create', 'a', '--retention-bytes', '0'], 'Write a size from 1B to'],
    [['topics', 'set', 'a', '--retention-age', '30'], 'Write the unit as well: a duration from 1ms to'],
    [['topics', 'set', 'a', '--compression', 'lz4'], 'Write one of zstd, gzip, none.'],
    [['topics', 'set', 'a', '--lane', 'fast'], 'Write one of alarm, bulk.'],
    [['topics', 'set', 'a', '--priority', '10'], 'Write a whole number from 0 to 9.'],
    [['topics', 'set', 'a', '--central-partitions', '0'], 'Write a whole number from 1 to 256.'],
    [
      ['topics', 'set', 'a', '--until-forwarded', '--retention-age', '1d'],
      '--until-forwarded takes the place',
    ],
    [['topics', 'set', 'a'], 'say what to change'],
    [['topics', 'delete', 'a'], 'give --yes to delete the topic with its records'],
    [['consume', 'a', '--follow', '--max-messages', '1e3'], 'Write a whole number from 1'],
    [['status', '--set', 'admin.listen=here'], 'write host:port'],
    [['devices', 'add'], "missing required argument 'name'"],
    [['devices', 'add', 'pump', 'secret'], 'too many arguments'],
    [['devices', 'set', 'pump'], 'say what to change, such as --publish'],
    [['--set', 'foo=1', 'status'], '--set foo: unknown setting'],
    [['topics', 'list', '--config', 'none.yaml'], 'none.yaml: cannot be read'],
  ])('ends with 2 and says what is wrong for %j', async (words, message) => {
    const { code, output, errors } = await session(words);
    expect({ code, output }).toEqual({ code: 2, output: '' });
    expect(errors).toContain(message);
  });
});

describe('without a gateway', () => {
  const commands = [
    ['status'],
    ['topics', 'list'],
    ['topics', 'create', 'a'],
    ['topics', 'describe', 'a'],
    ['topics', 'set', 'a', '--priority', '1'],
    ['topics', 'delete', 'a', '--yes'],
    ['devices', 'list'],
    ['devices', 'remove', 'a'],
    ['devices', 'set', 'a', '--no-publish'],
    ['produce', 'a'],
    ['consume', 'a', '--from-beginning'],
  ];

  it.each(commands.map((words) => ({ words })))(
    '$words ends with 3 and says how to start one',
    async ({ words }) => {
      await rm(join(gateway.folder, 'gateway.json'));
      const { code, errors } = await cli(...words);
      expect(code).toBe(3);
      expect(errors).toContain(`no gateway is running on the data folder ${gateway.folder}`);
      expect(errors).toContain('headwater run');
    },
  );

  it('it makes no difference that a crashed gateway has left its files', async () => {
    await gateway.crash();
    expect((await cli('status')).code).toBe(3);
  });

  it.each(['', '{', '[]', '{"pid":1}', '{"pid":1,"mqtt":"x","admin":"x"}'])(
    'nor that they hold %j',
    async (content) => {
      await writeFile(join(gateway.folder, 'gateway.json'), content);
      expect((await cli('status')).code).toBe(3);
    },
  );

  it('a token that cannot be read is something else', async () => {
    // A folder is unreadable as a file for every user, root as well.
    await rm(join(gateway.folder, 'admin.token'));
    await mkdir(join(gateway.folder, 'admin.token'));
    const { code, errors } = await cli('status');
    expect(code).toBe(1);
    expect(errors).toContain('run this command as the user who runs the gateway');
  });
});

describe('a gateway that answers badly', () => {
  it('is quoted when it gives a reason', async () => {
    gateway.answer = (_, response) =>
      json(response, 409, { error: { code: 'topic-exists', message: 'there is one' } });
    expect(await cli('topics', 'create', 'a')).toEqual({ code: 1, output: '', errors: 'there is one\n' });
  });

  it('fails the command when it gives none, is no JSON, or breaks off', async () => {
    gateway.answer = (_, response) => response.writeHead(500).end('{}');
    expect(await cli('status')).toMatchObject({ code: 1, errors: 'HTTP status 500, without a reason\n' });
    gateway.answer = (_, response) => response.end('<html>');
    expect((await cli('status')).errors).toContain('its answer is not JSON');
    gateway.answer = (_, response) => {
      response.write('{');
      response.destroy();
    };
    expect(await cli('status')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('cannot be talked to'),
    });
  });

  it('cannot make the command line hold an answer without end', async () => {
    gateway.answer = (_, response) => {
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      const more = (): void => {
        if (!response.destroyed) response.write(chunk, () => setImmediate(more));
      };
      more();
    };
    expect((await cli('status')).errors).toContain('its answer is longer than');
  });
});

describe('status', () => {
  it('tells in one look that all is well', async () => {
    gateway.answer = (_, response) => json(response, 200, report);
    expect(await cli('status')).toEqual({
      code: 0,
      errors: '',
      output: [
        'gw1 is ready, and all is well',
        'arrives',
        '  mqtt     127.0.0.1:1883',
        '  kept     2 lasting sessions, 17 messages waiting in them, 5 retained',
        '  users    3; nobody is let in without one',
        '  unrouted odd/topic: 3 messages, no pattern of mqtt.routes stands for it',
        '  alerts   none: anomaly detection is switched off (anomaly.enabled)',
        'stored',
        '  topics   readings  20 records',
        '           air       3 records',
        '  disk     100MiB of 4GiB that the data folder may take (2 %)',
        '  log      42 commits; 2 journal files',
        '  card     1.76 GB written in all runs (journal 1.6 GB, segments 160 MB, other 24.6 kB): 1.17 for each byte of the 1.5 GB payload',
        '           estimate: 0.011 % of 16 TB that a consumer card of 32 GB may take (set data.endurance to what yours is rated for) used; the time left is told after an hour',
        '           the data folder has no block device that can be read (overlay, tmpfs, network): only the count above is known',
        'left',
        '  cluster  none configured: everything is stored, nothing is sent',
        'gateway',
        '  running  version 0.1.0, for 1 h 2 min',
        '  clock    set',
        '  admin    http://127.0.0.1:8080/',
        '  data     /site/data',
        '',
      ].join('\n'),
    });
  });

  it('says that users cannot be read, and what to do', async () => {
    const users = { count: 0, anonymous: 'nobody', problem: 'copy it from a backup' };
    gateway.answer = (_, response) => json(response, 200, { ...report, users });
    expect((await cli('status')).output).toContain('  users    UNUSABLE: copy it from a backup\n');
  });

  it('says that the clock is not set', async () => {
    gateway.answer = (_, response) => json(response, 200, { ...report, clock: { isSet: false, epoch: 1 } });
    expect((await cli('status')).output).toMatch(
      /^ {2}clock {4}NOT SET since the machine was started: .*corrected$/m,
    );
  });

  it('says how long ago the last commit was', async () => {
    const log = { ...report.log, lastCommitMs: Date.now() - 125_000 };
    gateway.answer = (_, response) => json(response, 200, { ...report, log });
    expect((await cli('status')).output).toMatch(/42 commits, the last one 2 min \d+ s ago; 2 journal files/);
  });

  it('tells in one look that readings are refused, and ends with 4', async () => {
    const reasons = ['the log cannot make anything durable: EIO'];
    gateway.answer = (_, response) =>
      json(response, 200, { ...report, state: 'degraded', reasons, topics: [] });
    const { code, output } = await cli('status');
    expect(code).toBe(4);
    expect(output).toMatch(
      /^gw1 is DEGRADED: .*\n {2}because {2}the log cannot make anything durable: EIO\n/,
    );
    expect((await cli('status', '--json')).code).toBe(4);
  });

  it('shows progress of the forwarder, not a connection', async () => {
    const forwarder = { ...drainingForwarder(), isStale: true };
    gateway.answer = (_, response) => json(response, 200, { ...report, forwarder });
    expect((await cli('status')).output).toContain(
      [
        '  cluster  sending, 120007 records to go; last acknowledged 3 s ago (STALE: records wait)',
        '           120007 records, about 14.2 MB, the oldest for 2 h 3 min waiting; gone in 4 min at this rate',
        '             readings  120000 records, about 14.2 MB, the oldest for 2 h 3 min',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await cli('status', '--json')).output)).toMatchObject({ forwarder });
  });

  it('shows each broker that is subscribed to with what came of it', async () => {
    const source = {
      ...{ name: 'plant', url: 'mqtts://broker:8883', state: 'connected', topics: ['sensors/#', 'secret'] },
      ...{ refusedTopics: [], qos: 2, messages: 12, deadLetters: 0, unanswered: 0, lagSeconds: 0 },
      ...{ reconnects: 0, sessionsLost: 0, lastMessageMs: null, lastError: null },
    } as const;
    const lost = {
      ...{ ...source, name: 'hall', state: 'lost', refusedTopics: ['secret'], deadLetters: 2, unanswered: 3 },
      ...{
        lagSeconds: 61,
        reconnects: 4,
        sessionsLost: 1,
        lastError: { message: 'refused', atMs: Date.now() - 60_000 },
      },
    } as const;
    gateway.answer = (_, response) =>
      json(response, 200, { ...report, mqtt: { ...report.mqtt, sources: [source, lost] } });
    const { output } = await cli('status');
    expect(output).toContain(
      '  brokers  plant (mqtts://broker:8883) is connected; QoS 2 of sensors/# secret; 12 messages\n',
    );
    expect(output).toContain(
      '           hall (mqtts://broker:8883) is lost; QoS 2 of sensors/#; REFUSED: secret; 12 messages; 3 not acknowledged yet, ' +
        'the oldest for 1 min 1 s; 2 dead letters; 4 reconnects; 1 SESSION LOST; last error 1 min ago: refused\n',
    );
  });

  it('shows each serial port with what came of it', async () => {
    const serial = [
      {
        name: 'wind',
        wanted: '/dev/ttyUSB0',
        device: '/dev/ttyUSB0',
        state: 'open',
        frames: 12,
        deadLetters: 1,
        leftOut: 0,
        dropped: 0,
        commands: 0,
        lastFrameMs: Date.now() - 61_000,
        lastError: { message: 'a bad frame: not-json', atMs: Date.now() - 7_200_000 },
      },
      {
        name: 'rain',
        wanted: 'usb 0403:6001',
        device: '/dev/ttyUSB1',
        state: 'stalled',
        frames: 0,
        deadLetters: 9,
        leftOut: 4,
        dropped: 3,
        commands: 7,
        lastFrameMs: null,
        lastError: null,
      },
      {
        ...{ name: 'sun', wanted: '/dev/ttyUSB2', device: null, state: 'absent', frames: 1 },
        ...{ deadLetters: 0, leftOut: 0, dropped: 0, commands: 0, lastFrameMs: null },
        lastError: { message: 'no such port', atMs: Date.now() },
      },
    ];
    gateway.answer = (_, response) => json(response, 200, { ...report, serial });
    const { code, output } = await cli('status');
    expect(code).toBe(0);
    expect(output).toMatch(
      / {2}serial {3}wind \(\/dev\/ttyUSB0\) is open; 12 frames, the last one 1 min 1 s ago; 1 dead letter; last error 2 h ago: a bad frame: not-json\n/,
    );
    expect(output).toContain(
      '           rain (usb 0403:6001, /dev/ttyUSB1) is STALLED: open, but silent; 0 frames; 9 dead letters (4 of them only counted); 7 commands sent; 3 dropped\n',
    );
    // Why it is not open is told once, with what needs somebody.
    expect(output.split('no such port')).toHaveLength(2);
    expect(output).toMatch(/ {11}sun \(.*\) is absent; 1 frame; 0 dead letters\n/);
  });

  it('gives programs the whole report', async () => {
    gateway.answer = (_, response) => json(response, 200, report);
    expect(JSON.parse((await cli('status', '--json')).output)).toEqual(report);
  });
});

describe('topics', () => {
  it('are listed for people and for programs', async () => {
    const { topics } = report;
    gateway.answer = (_, response) => json(response, 200, { topics });
    expect((await cli('topics', 'list')).output).toMatch(/^readings +1 partition +20 records.*\nair .*\n$/);
    expect(JSON.parse((await cli('topics', 'list', '--json')).output)).toEqual({ topics });
  });

  it('are created with as many partitions as asked for', async () => {
    gateway.answer = (_, response) => json(response, 201, {});
    expect((await cli('topics', 'create', 'air', '--partitions', '3')).output).toBe(
      'created topic air with 3 partitions\n',
    );
    await cli('topics', 'create', 'water');
    expect(gateway.requests.map(({ body }) => JSON.parse(body))).toEqual([
      { name: 'air', partitions: 3 },
      { name: 'water', partitions: 1 },
    ]);
  });

  it('are created with the settings that are given, and no others', async () => {
    gateway.answer = (_, response) => json(response, 201, {});
    const settings = ['--retention-bytes', '1GiB', '--retention-age', '30d', '--drop-unforwarded'];
    await cli('topics', 'create', 'air', ...settings, '--segment', '64MiB', '--compression', 'gzip');
    await cli('topics', 'create', 'earth', '--central-partitions', '6');
    await cli(
      'topics',
      'create',
      'water',
      '--until-forwarded',
      '--priority',
      '0',
      '--lane',
      'alarm',
      '--no-drop-unforwarded',
    );
    expect(gateway.requests.map(({ body }) => JSON.parse(body))).toEqual([
      {
        name: 'air',
        partitions: 1,
        settings: {
          retention: { bytes: 1_073_741_824, ageMs: 2_592_000_000 },
          dropUnforwarded: true,
          segmentBytes: 67_108_864,
          compression: 'gzip',
        },
      },
      { name: 'earth', partitions: 1, settings: { centralPartitions: 6 } },
      {
        name: 'water',
        partitions: 1,
        settings: { retention: 'until-forwarded', priority: 0, lane: 'alarm', dropUnforwarded: false },
      },
    ]);
  });

  it('are changed in what is given, and shown as they are then', async () => {
    gateway.answer = (_, response) => json(response, 200, description);
    const { code, output } = await cli(
      'topics',
      'set',
      'air',
      '--partitions',
      '2',
      '--retention-age',
      'default',
    );
    expect(gateway.requests).toEqual([
      {
        method: 'PATCH',
        path: '/api/topics/air',
        body: JSON.stringify({ partitions: 2, settings: { retention: { ageMs: null } } }),
      },
    ]);
    expect({ code, output }).toEqual({
      code: 0,
      output: [
        'air: 2 partitions, 23 records',
        '  retention         1GiB, 30d        kept in the log',
        '  drop unforwarded  no               default',
        '  segment           8MiB             default',
        '  compression       zstd             default',
        '  priority          7                kept in the log',
        '  lane              bulk             default',
        '  in the cluster    6 by key         kept in the log',
        '  partition 0       log start 10, high watermark 30',
        '  partition 1       log start 0, high watermark 3',
        '',
      ].join('\n'),
    });
    const names = ['retention-bytes', 'segment', 'compression', 'priority', 'lane', 'central-partitions'];
    for (const setting of names) await cli('topics', 'set', 'air', `--${setting}`, 'default');
    expect(gateway.requests.slice(1).map(({ body }) => JSON.parse(body).settings)).toEqual([
      { retention: { bytes: null } },
      { segmentBytes: null },
      { compression: null },
      { priority: null },
      { lane: null },
      { centralPartitions: null },
    ]);
  });

  it('are described, for people and for programs', async () => {
    const described = {
      ...description,
      isConfigured: true,
      writers: ['MQTT', 'the serial port wind'],
      settings: {
        ...description.settings,
        retention: { value: 'until-forwarded', source: 'configuration' },
      },
    };
    gateway.answer = (_, response) => json(response, 200, described);
    const { output } = await cli('topics', 'describe', 'air');
    expect(output).toContain('  named in the configuration: change its settings there\n');
    expect(output).toContain('  written to by MQTT, the serial port wind\n');
    expect(output).toMatch(/^ {2}retention +until forwarded +configuration$/m);
    expect(JSON.parse((await cli('topics', 'describe', 'air', '--json')).output)).toEqual(described);
    const [retention, centralPartitions] = [unset, unset];
    const settings = { ...description.settings, retention, centralPartitions };
    gateway.answer = (_, response) => json(response, 200, { ...description, settings });
    const { output: byDefault } = await cli('topics', 'describe', 'air');
    expect(byDefault).toMatch(/^ {2}retention +none +default$/m);
    expect(byDefault).toMatch(/^ {2}in the cluster +same partitions +default$/m);
  });

  describe('are deleted', () => {
    const words = () => ['topics', 'delete', 'air', '--set', `data.dir=${gateway.folder}`];
    const methods = () => gateway.requests.map(({ method }) => method);

    beforeEach(() => {
      gateway.answer = (_, response) => json(response, 200, description);
    });

    it('at once with --yes', async () => {
      const result = await session([...words(), '--yes'], { isInteractive: true });
      expect(result).toEqual({ code: 0, output: 'deleted topic air with its 23 records\n', errors: '' });
      expect(gateway.requests).toEqual([{ method: 'DELETE', path: '/api/topics/air', body: '' }]);
    });

    it('when whoever is asked says yes, knowing that the records go', async () => {
      const { code, errors } = await session(words(), { isInteractive: true, input: 'yes\n' });
      expect(code).toBe(0);
      expect(errors).toContain(
        'topic air with its 23 records, also those that the cluster does not have yet',
      );
      expect(methods()).toEqual(['GET', 'DELETE']);
    });

    it.each(['', '\n', 'no\n', 'y\n', 'yes, but\n', 'x'.repeat(5_000)])(
      'not when the answer is %j',
      async (input) => {
        const result = await session(words(), { isInteractive: true, input });
        expect(result).toMatchObject({
          code: 1,
          output: '',
          errors: expect.stringContaining('nothing is deleted'),
        });
        expect(methods()).toEqual(['GET']);
      },
    );

    it('and never when nobody can be asked', async () => {
      expect((await session(words(), { input: 'yes\n' })).code).toBe(2);
      expect(methods()).toEqual([]);
    });
  });
});

/** What a gateway that is not asked for it has for its configuration. */
const unloaded = { reload: () => Promise.resolve() };

describe('run', () => {
  it('prints what the gateway prints, waits for a signal, stops it, and ends with 0', async () => {
    const calls: string[] = [];
    let signal = (): void => undefined;
    const result = await session(['run', '--set', 'mqtt.listen=127.0.0.1:0'], {
      workingDirectory: gateway.folder,
      onSignals: (send) => {
        signal = send;
      },
      startGateway: ({ config }, log) => {
        log.print(`listening on ${JSON.stringify(config.mqtt.listen)}`);
        setImmediate(signal);
        return Promise.resolve({ ...unloaded, stop: () => Promise.resolve(void calls.push('stop')) });
      },
    });
    expect(calls).toEqual(['stop']);
    expect(result).toMatchObject({ code: 0, errors: '' });
    expect(result.output).toMatch(/^configuration: all defaults.*\nlistening on .*"port":0}\nstopping.*\n$/);
  });

  it('stops a gateway that was told to while it still started', async () => {
    const calls: string[] = [];
    const { code } = await session(['run'], {
      workingDirectory: gateway.folder,
      onSignals: (send) => send(),
      startGateway: () =>
        Promise.resolve({ ...unloaded, stop: () => Promise.resolve(void calls.push('stop')) }),
    });
    expect({ code, calls }).toEqual({ code: 0, calls: ['stop'] });
  });

  it('tells a gateway that waits for its disk to wait no longer', async () => {
    const { code, errors } = await session(['run'], {
      workingDirectory: gateway.folder,
      onSignals: (send) => setImmediate(send),
      startGateway: async (_config, _log, signal) => {
        await once(signal, 'abort');
        throw new OperatingError('data-folder-unusable', 'the disk is full');
      },
    });
    expect({ code, errors }).toEqual({ code: 2, errors: expect.stringContaining('the disk is full') });
  });

  it('has the gateway read its configuration again at SIGHUP, once it runs', async () => {
    const calls: string[] = [];
    let hangUp = (): void => undefined;
    let signal = (): void => undefined;
    const { code, output } = await session(['run'], {
      workingDirectory: gateway.folder,
      onSignals: (send) => {
        signal = send;
      },
      onReloads: (send) => {
        hangUp = send;
      },
      startGateway: () => {
        hangUp();
        setImmediate(() => {
          hangUp();
          signal();
        });
        return Promise.resolve({
          reload: () => Promise.resolve(void calls.push('reload')),
          stop: () => Promise.resolve(void calls.push('stop')),
        });
      },
    });
    expect({ code, calls }).toEqual({ code: 0, calls: ['reload', 'stop'] });
    expect(output).toContain('still starting, so that the configuration is not read again\n');
  });

  it('ends at once at a second signal, however long stopping takes', async () => {
    const codes: number[] = [];
    let finishStop = (): void => undefined;
    const { code } = await session(['run'], {
      workingDirectory: gateway.folder,
      onSignals: (send) => {
        send();
        setImmediate(send);
      },
      exitNow: (ended) => {
        codes.push(ended);
        finishStop();
      },
      startGateway: () =>
        Promise.resolve({
          ...unloaded,
          stop: () =>
            new Promise<void>((resolve) => {
              finishStop = resolve;
            }),
        }),
    });
    expect({ code, codes }).toEqual({ code: 0, codes: [1] });
  });

  it('ends with 2 and the plain words of what keeps the gateway from starting', async () => {
    const message = '127.0.0.1:1883 is in use; stop the other program or set mqtt.listen';
    const result = await session(['run'], {
      workingDirectory: gateway.folder,
      startGateway: () => Promise.reject(new OperatingError('port-unusable', message)),
    });
    expect(result).toMatchObject({ code: 2, errors: `${message}\n` });
  });

  it('does not hide an error of ours', async () => {
    const running = session(['run'], {
      workingDirectory: gateway.folder,
      startGateway: () => Promise.reject(new TypeError('a bug')),
    });
    await expect(running).rejects.toThrow('a bug');
  });
});

describe('an output that fails', () => {
  const failing = (code: string) =>
    new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })) });

  it('is no failure when its reader has gone, and one when its disk is full', async () => {
    gateway.answer = (_, response) => json(response, 200, report);
    const words = ['status', '--set', `data.dir=${gateway.folder}`];
    expect(await session(words, { output: failing('EPIPE') })).toMatchObject({ code: 0, errors: '' });
    expect(await session(words, { output: failing('ENOSPC') })).toMatchObject({
      code: 1,
      errors: 'the output cannot be written: ENOSPC\n',
    });
  });
});
