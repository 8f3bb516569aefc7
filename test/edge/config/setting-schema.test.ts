import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it, test } from 'vitest';
import { withExamples } from '../../../src/edge/config/example-comments.ts';
import { parseDuration, parseSize } from '../../../src/edge/config/quantities.ts';
import { readConfig } from '../../../src/edge/config/read-config.ts';
import { readYaml } from '../../../src/edge/config/yaml-tree.ts';
import { session } from '../cli/fake-gateway.ts';

const fileText = (name: string): string => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');
const schemaText = fileText('headwater.schema.json');
const example = fileText('headwater.example.yaml');
const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });
const validate = ajv.compile(JSON.parse(schemaText) as object);

const errorsOf = (yaml: string): readonly string[] => {
  validate(readYaml(yaml).value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};

const isRead = (yaml: string): boolean =>
  'config' in
  readConfig({ file: { name: 'hw.yaml', text: yaml }, sets: [], workingDirectory: '/', hostName: 'h' });

/** What is in fences of YAML and begins with a setting: other programs have YAML as well. */
const readmeExamples = [...fileText('README.md').matchAll(/^```yaml\n([\s\S]*?)^```/gm)]
  .map(([, text = '']) => text)
  // Others are not for the gateway itself, or are the boot file of an appliance.
  .filter((text) => !/^(?:# Home Assistant|appliance:)/.test(text));

describe('headwater.schema.json', () => {
  it('is what "headwater config schema" prints', async () => {
    const printed = await session(['config', 'schema']);
    // If this fails: npm run -s headwater -- config schema > headwater.schema.json
    expect(printed).toEqual({ code: 0, output: schemaText, errors: '' });
  });

  it('gives examples of sizes and durations that are legal there', () => {
    const described = [
      ...schemaText.matchAll(/a (size|duration) from (\w+) to (\w+), such as ((?:\d+\w+(?:, | or )?)+)/g),
    ];
    expect(described.length).toBeGreaterThan(20);
    const outside = described.flatMap(([, kind, min = '', max = '', list = '']) => {
      const parse = (text: string) => (kind === 'size' ? parseSize(text) : parseDuration(text)) ?? Number.NaN;
      return list
        .split(/, | or /)
        .filter(
          (example) => example !== '' && !(parse(example) >= parse(min) && parse(example) <= parse(max)),
        )
        .map((example) => `${example} from ${min} to ${max}`);
    });
    expect(outside).toEqual([]);
  });

  it('is named by the example, which it takes as it is and with all examples in it', () => {
    expect(example.split('\n')[0]).toBe('# yaml-language-server: $schema=./headwater.schema.json');
    expect(errorsOf(example)).toEqual([]);
    expect(errorsOf(withExamples(example))).toEqual([]);
  });

  test.each(readmeExamples)('takes what README shows: %s', (text) => {
    expect(isRead(text)).toBe(true);
    expect(errorsOf(text)).toEqual([]);
  });

  it('finds examples in README', () => {
    expect(readmeExamples.length).toBeGreaterThan(5);
  });

  test.each([
    '',
    'topics:',
    'mqtt:\n  limits:',
    'forwarder: { tls: {} }',
    'mqtt: { tls: {} }',
    'data: { budget: 500000000 }',
    'data: { budget: 1.5 GiB }',
    'serial: [{ name: a, path: /dev/a, baud: 9600, framing: line, decoder: nmea }]',
    'serial: [{ name: a, path: /dev/a, baud: 9600, framing: { type: header, header: AA, length: 4 } }]',
    "serial: [{ name: a, path: /dev/a, baud: 9600, commands: { start: ['A', { hex: 'FF 01' }] } }]",
    'topics: { a: { retention: until-forwarded } }',
    "mqtt: { routes: [{ match: 'a/{n}', topic: a, partition: '{n}' }, { match: b, topic: b, partition: 3 }] }",
  ])('takes what is read: %s', (text) => {
    expect(isRead(text)).toBe(true);
    expect(errorsOf(text)).toEqual([]);
  });

  test.each([
    'mqqt: {}',
    'mqtt: { limts: {} }',
    'gateway: { name: pump house }',
    'gateway: { name: 5 }',
    'mqtt: { listen: 1883 }',
    'mqtt: { listen: here }',
    'data: { budget: 4 gigabytes }',
    'data: { commitIntervalMs: 20ms }',
    'data: { commitIntervalMs: 2000 }',
    'log: { level: loud }',
    'serial: { name: a }',
    'serial: [{ name: a, path: /dev/a }]',
    'serial: [{ name: a, path: ttyUSB0, baud: 9600 }]',
    'serial: [{ name: a, path: /dev/a, baud: 9600, parity: maybe }]',
    'serial: [{ name: a, path: /dev/a, baud: 9600, decoder: jsn }]',
    'serial: [{ name: a, path: /dev/a, baud: 9600, framing: fixed }]',
    'serial: [{ name: a, path: /dev/a, baud: 9600, framing: { type: line, gap: 1s } }]',
    'serial: [{ name: a, usb: { vendor: 0403 }, baud: 9600 }]',
    'topics: { a b: {} }',
    'topics: { a: { retention: { age: 30 } } }',
    'topics: { a: { retention: until-tomorrow } }',
    'topics: { a: { priority: high } }',
    'forwarder: { brokers: kafka1:9092 }',
    'forwarder: { brokers: [kafka1] }',
    'forwarder: { waitForClock: 2 minutes }',
    'forwarder: { hours: [] }',
    'forwarder: { sasl: { mechanism: SCRAM-SHA-512, username: gw1, password: secret } }',
    'forwarder: { sasl: { username: gw1 } }',
    'mqtt: { sources: [{ name: a, topics: [b] }] }',
    "mqtt: { sources: [{ name: a, url: 'http://b', topics: [b] }] }",
    'modbus: [{ name: a, units: [] }]',
    'anomaly: { series: [{ match: a, detect: some }] }',
  ])('refuses what is refused: %s', (text) => {
    expect(isRead(text)).toBe(false);
    expect(errorsOf(text)).not.toEqual([]);
  });

  it('says what settings are for, and what to write', () => {
    const { properties } = JSON.parse(schemaText) as { properties: Record<string, { properties: object }> };
    expect(properties['data']?.properties).toMatchObject({
      budget: {
        description:
          'What the data folder may take on the disk, as 4GiB or 500MB; 256MiB at least. By default it is half of what is ' +
          'free at the first start, 4GiB at most.\n\nWrite a size from 256MiB to 1024TiB, such as 1GiB, 32GB or 10TB, or a number of bytes.',
      },
      commitIntervalMs: { default: 20, minimum: 0, maximum: 1000 },
    });
    expect(properties['gateway']?.properties).not.toHaveProperty('name.default');
  });
});
