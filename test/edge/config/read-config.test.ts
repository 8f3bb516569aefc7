import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { type ConfigResult, readConfig } from '../../../src/edge/config/read-config.ts';
import { defaultBudgetBytes } from '../../../src/edge/config/schema.ts';
import { defaultMqttLimits } from '../../../src/ingest/mqtt/mqtt-limits.ts';
import { serialPort } from '../../support/serial-port-config.ts';

const read = (text: string | undefined, sets: readonly string[] = [], hostName = 'gw1'): ConfigResult =>
  readConfig({
    file: text === undefined ? undefined : { name: 'hw.yaml', text },
    sets,
    workingDirectory: '/site',
    hostName,
  });

const configOf = (result: ConfigResult) => {
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.config;
};

const problemsOf = (result: ConfigResult) => ('problems' in result ? result.problems : []);

const GIB = 1024 ** 3;

const defaults = {
  gateway: { name: 'gw1' },
  data: { dir: '/site/data', commitIntervalMs: 20 },
  mqtt: { listen: { host: '127.0.0.1', port: 1883 }, limits: defaultMqttLimits, routes: [], sources: [] },
  serial: [],
  modbus: [],
  admin: { listen: { host: '127.0.0.1', port: 8080 }, names: [] },
  topics: {},
  anomaly: {
    enabled: true,
    topics: ['*'],
    series: [],
    seriesMax: 5000,
    stateBytesPerDay: 256 * 1024 ** 2,
  },
  forwarder: {
    brokers: [],
    lingerMs: 1000,
    waitForClock: 120_000,
    topics: ['*'],
    topicName: '{gateway}.{topic}',
    create: { allowed: true },
    delivery: 'exactly-once',
    onCheckpointLost: 'resume',
  },
  log: { level: 'info' },
};

const hour = 3_600_000;

describe('a good configuration', () => {
  it.each([
    ['no file', undefined],
    ['an empty file', ''],
    ['a file of comments', '# nothing yet\n'],
    ['sections whose lines are all commented out', 'data:\n  # dir: x\ntopics:\nforwarder:\n'],
  ])('is the defaults for %s', (_, text) => {
    expect(configOf(read(text))).toEqual(defaults);
  });

  it('takes every setting from the file', () => {
    const text = `
gateway: { name: gw-7 }
data: { dir: /var/lib/hw, commitIntervalMs: 0 }
mqtt: { listen: '[::1]:0' }
serial:
  - { name: wind, path: /dev/ttyUSB0, baud: 9600, framing: line, decoder: json }
  - { name: rain, path: /dev/ttyUSB1, baud: 115200 }
admin: { listen: localhost:9000, tls: { certFile: a.pem, keyFile: a.key }, names: [gw.example] }
topics:
  temperature: { partitions: 2 }
  constructor:
anomaly:
  topics: ['sensors.*']
  series: [{ match: '*:temperature', min: -40, max: 85, unit: °C, interval: 10s, sensitivity: high, detect: faults }]
  seriesMax: 100
  stateBytesPerDay: 16MiB
  verdicts: verdicts
forwarder: { brokers: [kafka1:9092, '[fd00::1]:9093'], lingerMs: 5, waitForClock: 30s, topics: [temperature], delivery: at-least-once, onCheckpointLost: stop }
log: { level: debug }
`;
    const config = configOf(read(text));
    expect(config).toEqual({
      gateway: { name: 'gw-7' },
      data: { dir: '/var/lib/hw', commitIntervalMs: 0 },
      mqtt: { listen: { host: '::1', port: 0 }, limits: defaultMqttLimits, routes: [], sources: [] },
      serial: [serialPort('wind', '/dev/ttyUSB0'), { ...serialPort('rain', '/dev/ttyUSB1'), baud: 115200 }],
      modbus: [],
      admin: {
        listen: { host: 'localhost', port: 9000 },
        tls: { certFile: '/site/a.pem', keyFile: '/site/a.key' },
        names: ['gw.example'],
      },
      topics: {
        temperature: { partitions: 2, settings: {} },
        constructor: { partitions: 1, settings: {} },
      },
      anomaly: {
        enabled: true,
        topics: ['sensors.*'],
        series: [
          {
            match: '*:temperature',
            min: -40,
            max: 85,
            unit: '°C',
            interval: 10_000,
            sensitivity: 'high',
            detect: 'faults',
          },
        ],
        seriesMax: 100,
        stateBytesPerDay: 16 * 1024 ** 2,
        verdicts: 'verdicts',
      },
      forwarder: {
        brokers: [
          { host: 'kafka1', port: 9092 },
          { host: 'fd00::1', port: 9093 },
        ],
        lingerMs: 5,
        waitForClock: 30_000,
        topics: ['temperature'],
        topicName: '{gateway}.{topic}',
        create: { allowed: true },
        delivery: 'at-least-once',
        onCheckpointLost: 'stop',
      },
      log: { level: 'debug' },
    });
    expect(config.topics['toString']).toBeUndefined();
  });

  it.each([
    ['pi kitchen!', 'pi-kitchen-'],
    ['', 'headwater'],
    ['..', 'headwater'],
    [`${'a'.repeat(70)}`, 'a'.repeat(63)],
  ])('makes the host name %j legal as the name of the gateway', (hostName, name) => {
    expect(configOf(read(undefined, [], hostName)).gateway.name).toBe(name);
  });
});

describe('--set', () => {
  it.each([
    [
      'mqtt.listen=127.0.0.1:0',
      {
        ...defaults,
        mqtt: { listen: { host: '127.0.0.1', port: 0 }, limits: defaultMqttLimits, routes: [], sources: [] },
      },
    ],
    ['data.commitIntervalMs=5', { ...defaults, data: { dir: '/site/data', commitIntervalMs: 5 } }],
    ['data.dir=/x=y', { ...defaults, data: { dir: '/x=y', commitIntervalMs: 20 } }],
    ['topics={a: {partitions: 3}}', { ...defaults, topics: { a: { partitions: 3, settings: {} } } }],
    ['topics."a.b".partitions=3', { ...defaults, topics: { 'a.b': { partitions: 3, settings: {} } } }],
    [
      'forwarder.hours=[22:00-06:00, 12:30-24:00]',
      {
        ...defaults,
        forwarder: {
          ...defaults.forwarder,
          hours: [
            { fromMs: 22 * hour, toMs: 6 * hour },
            { fromMs: 12.5 * hour, toMs: 24 * hour },
          ],
        },
      },
    ],
    ['forwarder.bytesPerDay=20MB', { ...defaults, forwarder: { ...defaults.forwarder, bytesPerDay: 20e6 } }],
    ['forwarder.topics=[a, b]', { ...defaults, forwarder: { ...defaults.forwarder, topics: ['a', 'b'] } }],
  ])('%s changes just that', (set, config) => {
    expect(configOf(read(undefined, [set]))).toEqual(config);
  });

  it('wins over the file, and the last one wins', () => {
    const result = read('data: { dir: a, commitIntervalMs: 7 }', ['data.dir=b', 'data.dir=c']);
    expect(configOf(result).data).toEqual({ dir: '/site/c', commitIntervalMs: 7 });
  });

  it.each([
    ['data.dir', '--set data.dir: write SETTING=VALUE, such as mqtt.listen=127.0.0.1:0'],
    ['=5', '--set …: write SETTING=VALUE, such as mqtt.listen=127.0.0.1:0'],
    ['a..b=5', '--set a..b…: write SETTING=VALUE, such as mqtt.listen=127.0.0.1:0'],
    ['mqqt.listen=a:1', '--set mqqt.listen: mqqt: unknown setting; did you mean mqtt?'],
    ['data={dirr: x}', '--set data: data.dirr: unknown setting; did you mean dir?'],
    ['data.dir=', '--set data.dir: is empty; write the path of a folder, or remove it for the default'],
    [
      'forwarder.brokers.0=a:1',
      '--set forwarder.brokers.0: there is no such setting; only mappings have settings inside, so set the whole',
    ],
    [
      'data.commitIntervalMs=fast',
      '--set data.commitIntervalMs: write a whole number of milliseconds from 0 to 1000, not "fast"',
    ],
    [
      '__proto__.x=1',
      '--set __proto__.x: there is no such setting; only mappings have settings inside, so set the whole',
    ],
  ])('%s is reported by its name', (set, problem) => {
    const brokers = 'forwarder: { brokers: [b:1] }';
    expect(problemsOf(read(brokers, [set]))).toEqual([problem]);
  });
});

describe('a bad configuration is reported with its place and what to write instead', () => {
  it.each([
    [
      '5',
      'hw.yaml:1:1: write a mapping of settings here: gateway, data, mqtt, serial, modbus, admin, topics, anomaly, forwarder, log, not 5',
    ],
    [
      'data: 7',
      'hw.yaml:1:1: data: write a mapping of settings here: dir, budget, endurance, commitIntervalMs, not 7',
    ],
    [
      'data:\n  dir:',
      'hw.yaml:2:3: data.dir: is empty; write the path of a folder, or remove it for the default',
    ],
    [
      'data: { dir: 7 }',
      'hw.yaml:1:9: data.dir: write the path of a folder, in quotes because YAML takes it for something else, not 7',
    ],
    [
      'data: { commitIntervalMs: 1.5 }',
      'hw.yaml:1:9: data.commitIntervalMs: write a whole number of milliseconds from 0 to 1000, not 1.5',
    ],
    [
      'data: { commitIntervalMs: 1001 }',
      'hw.yaml:1:9: data.commitIntervalMs: write a whole number of milliseconds from 0 to 1000, not 1001',
    ],
    [
      'data: { commit_interval_ms: 5 }',
      'hw.yaml:1:9: data.commit_interval_ms: unknown setting; did you mean commitIntervalMs?',
    ],
    ['brokers: [a:1]', 'hw.yaml:1:1: brokers: unknown setting; did you mean forwarder.brokers?'],
    [
      'mqtt.listen: 127.0.0.1:0',
      'hw.yaml:1:1: "mqtt.listen": unknown setting; write it as mqtt: { listen: … }',
    ],
    [
      'kafka: {}',
      'hw.yaml:1:1: kafka: unknown setting; there are: gateway, data, mqtt, serial, modbus, admin, topics, anomaly, forwarder, log',
    ],
    [
      'gateway: { name: a/b }',
      'hw.yaml:1:12: gateway.name: write 1 to 63 letters, digits, ".", "_" or "-", not "a/b"',
    ],
    [
      'mqtt: { listen: 1883 }',
      'hw.yaml:1:9: mqtt.listen: write host:port, such as 127.0.0.1:1883 (port 0: any free one), or off, not 1883',
    ],
    ['mqtt: { anonymous: loopback }', 'hw.yaml:1:9: mqtt.anonymous: write true or false, not "loopback"'],
    [
      'admin: { listen: 80 }',
      'hw.yaml:1:10: admin.listen: write host:port, such as 127.0.0.1:8080 (port 0: any free one), not 80',
    ],
    [
      'admin: { tls: { certFile: a.pem } }',
      'hw.yaml:1:10: admin.tls.keyFile: write the file with the key that belongs to certFile',
    ],
    [
      "admin: { names: ['a b'] }",
      'hw.yaml:1:18: admin.names.0: write the name of a host, such as kafka.example.com, not "a b"',
    ],
    [
      'admin: { listen: 127.0.0.1:1883 }',
      'hw.yaml:1:10: admin.listen: write another port than that of mqtt.listen, not "127.0.0.1:1883"',
    ],
    [
      'topics: [a]',
      'hw.yaml:1:1: topics: write a mapping of topic names, such as temperature: { partitions: 2 }',
    ],
    [
      'topics: { a b: {} }',
      'hw.yaml:1:11: topics.a b: write 1 to 249 letters, digits, ".", "_" or "-" as a topic name',
    ],
    [
      'topics: { headwater-checkpoint: {} }',
      'hw.yaml:1:11: topics.headwater-checkpoint: choose another topic name; Headwater keeps this one for itself',
    ],
    [
      'topics: { a.b: { partitions: 0 } }',
      'hw.yaml:1:18: topics."a.b".partitions: write a whole number of partitions from 1 to 64, not 0',
    ],
    [
      'topics: { a: { road: bulk } }',
      'hw.yaml:1:16: topics.a.road: unknown setting; there are: partitions, retention, dropUnforwarded, segment, compression, priority, lane, centralPartitions',
    ],
    [
      'forwarder: { bytesPerDay: 20kB }',
      'hw.yaml:1:14: forwarder.bytesPerDay: write a size from 1MiB to 1TiB, such as 1GiB, 64MiB or 32GB, or a number of bytes, not "20kB"',
    ],
    [
      'forwarder: { hours: 22:00-06:00 }',
      `hw.yaml:1:14: forwarder.hours: write a list of at most 24 spans of local time, such as ['22:00-06:00'], not "22:00-06:00"`,
    ],
    [
      "forwarder: { hours: ['22:00-06:00', '6-7'] }",
      `hw.yaml:1:37: forwarder.hours.1: write a span of local time such as '22:00-06:00', with hours from 00 to 23, or 24:00 at its end, not "6-7"`,
    ],
    [
      'forwarder: { hours: [] }',
      'hw.yaml:1:14: forwarder.hours: write one span of local time at least, or remove it to send at any time',
    ],
    ['topics: { a: { lane: fast } }', 'hw.yaml:1:16: topics.a.lane: write one of alarm, bulk, not "fast"'],
    [
      'topics: { a: { retention: forever } }',
      'hw.yaml:1:16: topics.a.retention: write a mapping such as { bytes: 1GiB, age: 30d }, or until-forwarded, not "forever"',
    ],
    [
      'topics: { a: { retention: { bytes: 1G } } }',
      'hw.yaml:1:29: topics.a.retention.bytes: write a size from 1B to 1024TiB, such as 1GiB, 64MiB or 500kB, or a number of bytes, not "1G"',
    ],
    [
      'topics: { a: { retention: { bytes: } } }',
      'hw.yaml:1:29: topics.a.retention.bytes: is empty; write a size from 1B to 1024TiB, such as 1GiB, 64MiB or 500kB, or a number of bytes, or remove it for the default',
    ],
    [
      'topics: { a: { retention: { age: 30 } } }',
      'hw.yaml:1:29: topics.a.retention.age: write the unit as well: a duration from 1ms to 36500d, such as 30d, 12h, 15m, 30s or 250ms, not 30',
    ],
    [
      'topics: { a: { retention: { ageMs: 30d } } }',
      'hw.yaml:1:29: topics.a.retention.ageMs: unknown setting; did you mean age?',
    ],
    [
      'topics: { a: { retention: [30d] } }',
      'hw.yaml:1:16: topics.a.retention: write a mapping of settings here: bytes, age',
    ],
    [
      'topics: { a: { segment: 2GiB } }',
      'hw.yaml:1:16: topics.a.segment: write a size from 64KiB to 1GiB, such as 1GiB, 64MiB or 500kB, or a number of bytes, not "2GiB"',
    ],
    [
      'topics: { a: { compression: lz4 } }',
      'hw.yaml:1:16: topics.a.compression: write one of zstd, gzip, none, not "lz4"',
    ],
    [
      'topics: { a: { priority: 10 } }',
      'hw.yaml:1:16: topics.a.priority: write a whole number from 0 to 9, not 10',
    ],
    [
      'topics: { a: { centralPartitions: 0 } }',
      'hw.yaml:1:16: topics.a.centralPartitions: write a whole number of partitions from 1 to 256, not 0',
    ],
    [
      'topics: { a: { dropUnforwarded: perhaps } }',
      'hw.yaml:1:16: topics.a.dropUnforwarded: write true or false, not "perhaps"',
    ],
    [
      'topics: { a: { dropUnforwarded: true, retention: until-forwarded } }',
      'hw.yaml:1:16: topics.a.dropUnforwarded: choose one: until-forwarded keeps what was not sent, dropUnforwarded lets retention remove it, not true',
    ],
    [
      'topics: { a: { dropUnforwarded: true } }',
      'hw.yaml:1:16: topics.a.dropUnforwarded: set retention by bytes or age as well: without it, nothing is removed that dropUnforwarded is about, not true',
    ],
    [
      'data: { endurance: 30GB }',
      'hw.yaml:1:9: data.endurance: write a size from 100GB to 1024TiB, such as 10TB, or a number of bytes, not "30GB"',
    ],
    [
      'data: { budget: 1MiB }',
      'hw.yaml:1:9: data.budget: write a size from 256MiB to 1024TiB, such as 1GiB, 32GB or 10TB, or a number of bytes, not "1MiB"',
    ],
    [
      `topics: { ${'a'.repeat(246)}: {} }`,
      `hw.yaml:1:11: topics.${'a'.repeat(246)}: choose a shorter topic name: as the cluster knows it, with the name of the gateway, it is longer than 249 characters`,
    ],
    [
      'topics: { a: &t { partitions: 64 }, b: { partitions: 64 }, c: { partitions: 64 }, d: { partitions: 64 }, e: {} }',
      'hw.yaml:1:1: topics: write fewer topics or partitions: 256 partitions in all at most',
    ],
    [
      'serial: /dev/ttyUSB0',
      'hw.yaml:1:1: serial: write a list of at most 32 serial ports, such as [{ name: weather, path: /dev/ttyUSB0, baud: 9600 }], not "/dev/ttyUSB0"',
    ],
    [
      'serial: [/dev/ttyUSB0]',
      'hw.yaml:1:10: serial.0: write a mapping of settings here: name, path, usb, baud, dataBits, parity, stopBits, flow, framing, decoder, stalledAfter, commands, not "/dev/ttyUSB0"',
    ],
    [
      'serial:\n  - { path: /a, baud: 1200 }',
      'hw.yaml:2:5: serial.0.name: is missing; write 1 to 63 letters, digits, ".", "_" or "-"',
    ],
    [
      'serial: [{ name: a b, path: /a, baud: 1200 }]',
      'hw.yaml:1:12: serial.0.name: write 1 to 63 letters, digits, ".", "_" or "-", not "a b"',
    ],
    [
      'serial: [{ name: a, path: ttyUSB0, baud: 1200 }]',
      "hw.yaml:1:21: serial.0.path: write the path of a serial port, such as /dev/serial/by-id/usb-…, perhaps with * in its last name, or usb: { vendor: '0403', product: '6001' } instead, not \"ttyUSB0\"",
    ],
    [
      'serial: [{ name: a, path: /a, baud: 0 }]',
      'hw.yaml:1:31: serial.0.baud: write a whole number of bits per second from 50 to 4000000, not 0',
    ],
    [
      'serial: [{ name: a, path: /a, baud: 50, framing: telex }]',
      'hw.yaml:1:41: serial.0.framing: write one of line, slip, cobs, fixed, length-prefixed, header, telegram, sds011, pms5003, mh-z19, or a mapping with one of them as type, not "telex"',
    ],
    [
      'serial: [{ name: a, path: /a, baud: 50, decoder: toString }]',
      'hw.yaml:1:41: serial.0.decoder: write one of json, raw, csv, key-value, regex, number, nmea, sds011, pms5003, mh-z19, dsmr, or a mapping with one of them as type, not "toString"',
    ],
    [
      'serial: [{ name: a, path: /a, baud: 50, bauds: 50 }]',
      'hw.yaml:1:41: serial.0.bauds: unknown setting; did you mean baud?',
    ],
    [
      'serial: [{ name: a, path: /a, baud: 50 }, { name: a, path: /b, baud: 50 }]',
      'hw.yaml:1:45: serial.1.name: write another name than that of serial.0, not "a"',
    ],
    [
      'serial: [{ name: a, path: /a, baud: 50 }, { name: b, path: /a, baud: 50 }]',
      'hw.yaml:1:54: serial.1.path: write another path than that of serial.0, not "/a"',
    ],
    [
      "anomaly: { topics: ['!test'] }",
      "hw.yaml:1:12: anomaly.topics: write one topic to look at at least, such as ['*', '!test'], or enabled: false",
    ],
    [
      'anomaly: { verdicts: anomalies }',
      'hw.yaml:1:12: anomaly.verdicts: write the name of a topic, but none of the gateway itself, not "anomalies"',
    ],
    [
      "anomaly: { series: [{ match: '*', min: 5, max: 5 }] }",
      'hw.yaml:1:43: anomaly.series.0.max: write more than min, not 5',
    ],
    [
      'forwarder: { brokers: kafka1:9092 }',
      'hw.yaml:1:14: forwarder.brokers: write a list of at most 64 host:port, such as [kafka1:9092], not "kafka1:9092"',
    ],
    [
      'forwarder:\n  brokers:\n    - kafka1:9092\n    - kafka2',
      'hw.yaml:4:7: forwarder.brokers.1: write host:port, such as kafka1:9092, not "kafka2"',
    ],
    [
      'forwarder: { brokers: [a:0] }',
      'hw.yaml:1:24: forwarder.brokers.0: write the port of the broker, such as 9092, not "a:0"',
    ],
    [
      'forwarder: { topics: [a/b] }',
      'hw.yaml:1:23: forwarder.topics.0: write a topic name, in which * stands for any characters (in quotes), or one with ! before it to leave it out, not "a/b"',
    ],
    [
      "forwarder: { topicName: '{gateway}.x' }",
      'hw.yaml:1:14: forwarder.topicName: write a name with {topic} in it once, and perhaps {gateway} and {site}, in quotes, such as \'{site}.{gateway}.{topic}\', not "{gateway}.x"',
    ],
    [
      "forwarder: { topicName: '{topic}.{place}' }",
      'hw.yaml:1:14: forwarder.topicName: write a name with {topic} in it once, and perhaps {gateway} and {site}, in quotes, such as \'{site}.{gateway}.{topic}\', not "{topic}.{place}"',
    ],
    [
      "gateway: { name: a }\nforwarder: { topicName: '{site}.{topic}' }",
      'hw.yaml:1:1: gateway.site: write where the gateway stands: forwarder.topicName has {site} in it',
    ],
    ['log: { level: loud }', 'hw.yaml:1:8: log.level: write one of debug, info, warn, error, not "loud"'],
    [
      'data: { dir: a }\ndata: { dir: b }',
      'hw.yaml:2:1: this name is given a second time; keep one of the two',
    ],
    ['data: { dir: *x }', 'hw.yaml:1:14: aliases (*name) are not supported; write the value out'],
    ['data: { dir: !secret x }', 'hw.yaml:1:14: tags (!name) are not supported; write the plain value'],
    ['{}\n---\n{}', 'hw.yaml:2:1: a second document begins here; remove the line "---"'],
    ['__proto__: {}', 'hw.yaml:1:1: this cannot be the name of a setting'],
    ['? [a]\n: b', 'hw.yaml:1:3: this cannot be the name of a setting'],
    [
      `data: { dir: ${'['.repeat(20)}${']'.repeat(20)} }`,
      'hw.yaml:1:28: nested too deeply; at most 16 levels are read',
    ],
  ])('%s', (text, problem) => {
    expect(problemsOf(read(text))).toContain(problem);
  });

  it('reports what is wrong below a topic name that is wrong itself', () => {
    const text = 'topics:\n  a b: { partitions: 0, road: bulk }\n  c d:\n  ok: { partitions: 65 }';
    const name = 'write 1 to 249 letters, digits, ".", "_" or "-" as a topic name';
    expect(problemsOf(read(text))).toEqual([
      'hw.yaml:2:10: topics.a b.partitions: write a whole number of partitions from 1 to 64, not 0',
      expect.stringMatching(/^hw\.yaml:2:25: topics\.a b\.road: unknown setting; there are: /),
      `hw.yaml:2:3: topics.a b: ${name}`,
      `hw.yaml:3:3: topics.c d: ${name}`,
      'hw.yaml:4:9: topics.ok.partitions: write a whole number of partitions from 1 to 64, not 65',
    ]);
  });

  it('reports a tab alone where nothing else can be read', () => {
    expect(problemsOf(read('data:\n\tdir: a\n  budget: 1GiB\nlog:\n\t- [x\n'))).toEqual([
      'hw.yaml:2:1: YAML does not indent with tabs; use spaces, also in line 5',
    ]);
  });

  it('reports every error of file and command line at once', () => {
    const text = 'gateway: { nam: x }\ndata:\n  commitIntervalMs: -1\nlog: { level: 3 }\nfoo: 1\n';
    expect(problemsOf(read(text, ['mqtt.listen=x', 'bar=1']))).toEqual([
      'hw.yaml:1:12: gateway.nam: unknown setting; did you mean name?',
      'hw.yaml:3:3: data.commitIntervalMs: write a whole number of milliseconds from 0 to 1000, not -1',
      'hw.yaml:4:8: log.level: write one of debug, info, warn, error, not 3',
      'hw.yaml:5:1: foo: unknown setting; there are: gateway, data, mqtt, serial, modbus, admin, topics, anomaly, forwarder, log',
      '--set mqtt.listen: write host:port, such as 127.0.0.1:1883 (port 0: any free one), or off, not "x"',
      '--set bar: unknown setting; there are: gateway, data, mqtt, serial, modbus, admin, topics, anomaly, forwarder, log',
    ]);
  });

  it('says where broken YAML breaks, and nothing about what the ruins seem to say', () => {
    const problems = problemsOf(read('data: { dir: [\nfoo: 1\n'));
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) expect(problem).toMatch(/^hw\.yaml:\d+:\d+: not readable as YAML: /);
  });

  it('shows no more problems than a screen or two', () => {
    const names = Array.from({ length: 200 }, (_, index) => `x${index}: 1`);
    const problems = problemsOf(read(names.join('\n')));
    expect(problems).toHaveLength(limits.configProblemsShownMax + 1);
    expect(problems.at(-1)).toBe(`and ${200 - limits.configProblemsShownMax} more`);
  });

  it('is bounded for an alias bomb and for deep nesting', () => {
    const bomb = `a: &a [1,1]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [${'*c,'.repeat(1000)}]`;
    for (const text of [bomb, '['.repeat(20_000), '{a: '.repeat(5_000), '- '.repeat(20_000)]) {
      expect(problemsOf(read(text)).length).toBeLessThanOrEqual(limits.configProblemsShownMax + 1);
      expect(problemsOf(read(text)).length).toBeGreaterThan(0);
    }
  });
});

describe('the settings of topics', () => {
  const settingsOf = (topic: string) => configOf(read(`topics: { a: ${topic} }`)).topics['a']?.settings;

  it.each([
    ['{}', {}],
    ['{ retention: }', {}],
    ['{ retention: {} }', {}],
    ['{ retention: { bytes: 1GiB } }', { retention: { bytes: 1_073_741_824 } }],
    ['{ retention: { bytes: 4096, age: 12h } }', { retention: { bytes: 4096, ageMs: 43_200_000 } }],
    [
      '{ retention: until-forwarded, dropUnforwarded: false }',
      { retention: 'until-forwarded', dropUnforwarded: false },
    ],
    [
      '{ retention: { age: 30d }, dropUnforwarded: true }',
      { retention: { ageMs: 2_592_000_000 }, dropUnforwarded: true },
    ],
    [
      '{ segment: 64MiB, compression: none, priority: 0, lane: alarm, centralPartitions: 12 }',
      { segmentBytes: 67_108_864, compression: 'none', priority: 0, lane: 'alarm', centralPartitions: 12 },
    ],
  ])('%s gives only what it says', (topic, settings) => {
    expect(settingsOf(topic)).toStrictEqual(settings);
  });
});

describe('the disk budget', () => {
  it('is what is given, in bytes', () => {
    expect(configOf(read('data: { budget: 2GiB }')).data.budget).toBe(2 * GIB);
    expect(configOf(read('')).data.budget).toBeUndefined();
  });

  it('is half of what is free where none is given, within bounds', () => {
    expect(defaultBudgetBytes(3 * GIB)).toBe(1.5 * GIB);
    expect(defaultBudgetBytes(3 * GIB + 1)).toBe(1.5 * GIB);
    expect(defaultBudgetBytes(100 * GIB)).toBe(4 * GIB);
    expect(defaultBudgetBytes(0)).toBe(limits.budgetBytesMin);
  });
});

describe('any text', () => {
  const isEither = (result: ConfigResult): void => {
    if ('problems' in result) {
      expect(result.problems.length).toBeGreaterThan(0);
      for (const problem of result.problems) expect(problem.trim()).not.toBe('');
    } else {
      expect(result.config.gateway.name).not.toBe('');
    }
  };
  const word = fc.constantFrom(
    ...['gateway', 'name', 'data', 'dir', 'mqtt', 'listen', 'topics', 'forwarder', 'brokers', 'log', 'level'],
    ...[
      '__proto__',
      'constructor',
      '127.0.0.1:0',
      '*',
      '*a',
      '&a ',
      '!t ',
      '<<',
      '5',
      '-1',
      '.nan',
      'null',
      '~',
      'yes',
    ],
    ...[
      ': ',
      ':\n  ',
      ':\n    ',
      '\n',
      '\n- ',
      ', ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '|\n',
      '>\n',
      '? ',
      '#',
      '---\n',
    ],
    ...[
      '%YAML 1.1\n',
      '\t',
      '\u0000',
      '\ud800',
      '!!binary ',
      '!!omap ',
      '!!set ',
      '0x1f',
      '2001-01-01',
      '\\u',
    ],
  );

  it('is a configuration or a list of problems, never a throw', () => {
    const yamlLike = fc.array(word, { maxLength: 40 }).map((words) => words.join(''));
    const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), yamlLike);
    fc.assert(
      fc.property(texts, (text) => isEither(read(text))),
      { numRuns: 400 },
    );
  });

  it('as an option is a configuration or a list of problems, never a throw', () => {
    const option = fc.array(fc.oneof(word, fc.constantFrom('=', '.', '"')), { maxLength: 12 });
    const options = fc.array(
      option.map((words) => words.join('')),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(options, (sets) => isEither(read('data: { dir: x }', sets))),
      { numRuns: 400 },
    );
  });

  it('of a tree of plain values is a configuration or a list of problems, never a throw', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (json) => isEither(read(json))),
      { numRuns: 200 },
    );
  });
});
