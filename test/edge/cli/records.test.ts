import { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { type Answer, FakeGateway, json, type SessionOptions, session } from './fake-gateway.ts';

let gateway: FakeGateway;

beforeEach(async () => {
  gateway = await FakeGateway.start();
});

afterEach(() => gateway.remove());

const cli = (words: readonly string[], options: SessionOptions = {}) =>
  session([...words, '--set', `data.dir=${gateway.folder}`], options);

const sent = () => gateway.requests.flatMap(({ body }) => JSON.parse(body).records);

const topics = [
  {
    name: 'air',
    partitions: [
      { partition: 0, logStartOffset: 2, highWatermark: 5 },
      { partition: 1, logStartOffset: 0, highWatermark: 7 },
    ],
  },
];

/** Answers as a gateway: the topics above, and the given lines for each read of records. */
const reading =
  (lines: (url: URL) => readonly object[], end = true): Answer =>
  ({ url }, response) => {
    if (url.pathname === '/api/topics') return json(response, 200, { topics });
    response.writeHead(200);
    for (const line of lines(url)) response.write(`${JSON.stringify(line)}\n`);
    if (end) response.end();
  };

describe('produce', () => {
  beforeEach(() => {
    gateway.answer = (_, response) => json(response, 200, { records: [] });
  });

  it.each([
    ['', []],
    ['a', ['a']],
    ['a\nb\n', ['a', 'b']],
    ['\n\nä', ['', '', 'ä']],
    ['a\r\n', ['a\r']],
    ['\ufeffx\n', ['\ufeffx']],
  ])('makes one record of each line of %j', async (input, values) => {
    const result = await cli(['produce', 'air'], { input });
    const count = values.length === 1 ? '1 record' : `${values.length} records`;
    expect(result).toEqual({ code: 0, output: '', errors: `${count} stored in air\n` });
    expect(sent()).toEqual(values.map((value) => ({ value })));
  });

  it('keeps lines whole wherever the input is cut, also inside a character', async () => {
    const bytes = Buffer.from('first ä\nsecond €\n');
    for (let at = 1; at < bytes.length; at++) {
      gateway.requests.length = 0;
      const input = Readable.from([bytes.subarray(0, at), bytes.subarray(at)], { objectMode: false });
      await cli(['produce', 'air'], { input });
      expect(sent()).toEqual([{ value: 'first ä' }, { value: 'second €' }]);
    }
  });

  it('splits key and value at the first separator', async () => {
    await cli(['produce', 'air', '--key-separator', '::'], { input: 'k::v::w\n::v\n' });
    expect(sent()).toEqual([
      { key: 'k', value: 'v::w' },
      { key: '', value: 'v' },
    ]);
  });

  it('sends large inputs in requests of a bounded size, in order', async () => {
    const values = Array.from({ length: 2500 }, (_, index) => `${index}`);
    await cli(['produce', 'air'], { input: `${values.join('\n')}\n` });
    expect(sent().map(({ value }) => value)).toEqual(values);
    expect(gateway.requests.map(({ body }) => JSON.parse(body).records.length)).toEqual([1000, 1000, 500]);
    gateway.requests.length = 0;
    await cli(['produce', 'air'], { input: `${'x'.repeat(800_000)}\n`.repeat(12) });
    expect(sent()).toHaveLength(12);
    for (const { body } of gateway.requests)
      expect(body.length).toBeLessThanOrEqual(limits.adminRequestBytesMax);
  });

  it.each([
    ['too long', Buffer.alloc(limits.produceLineBytesMax + 1, 'x'), 'is longer than 921600 bytes'],
    ['not UTF-8', Buffer.from([0xff]), 'is not UTF-8 text'],
    ['without a separator', Buffer.from('x'), 'has no key separator ":"'],
    ['too long as JSON', Buffer.concat([Buffer.from(':'), Buffer.alloc(900_000, 1)]), 'is too long as JSON'],
  ])('stops at a line that is %s, after the good ones before it', async (_, line, message) => {
    const input = Buffer.concat([Buffer.from('a:1\nb:2\n'), line, Buffer.from('\nc:3\n')]);
    const { code, errors } = await cli(['produce', 'air', '--key-separator', ':'], { input });
    expect(code).toBe(1);
    expect(errors).toContain(`line 3 of standard input ${message}`);
    expect(errors).toContain('2 records stored in air');
    expect(sent()).toHaveLength(2);
  });

  it('says how many records are stored when the gateway refuses the rest', async () => {
    gateway.answer = (_, response) =>
      gateway.requests.length === 1
        ? json(response, 200, { records: [] })
        : json(response, 503, { error: { code: 'log-unavailable', message: 'the disk fails' } });
    const { code, errors } = await cli(['produce', 'air'], { input: 'x\n'.repeat(1500) });
    expect({ code, errors }).toEqual({ code: 1, errors: '1000 records stored in air\nthe disk fails\n' });
  });
});

describe('consume', () => {
  it('prints values byte for byte, each with a newline', async () => {
    gateway.answer = reading(() => [
      { value: 'a' },
      { valueBase64: Buffer.from('b c').toString('base64') },
      { value: '' },
      { value: null },
    ]);
    expect(await cli(['consume', 'air', '--from-beginning'])).toEqual({
      code: 0,
      output: 'a\nb c\n\nnull\n',
      errors: '',
    });
    expect(gateway.requests.map(({ path }) => path)).toEqual(['/api/records?topic=air&follow=false']);
  });

  it('prints one JSON object for each record with --json', async () => {
    const records = [{ topic: 'air', partition: 0, offset: 1, value: 'ä', key: null, headers: [] }];
    gateway.answer = reading(() => records);
    const { output } = await cli(['consume', 'air', '--from-beginning', '--json']);
    expect(output).toBe(`${JSON.stringify(records[0])}\n`);
  });

  it.each([
    [['--partition', '1', '--offset', '3'], ['topic=air&follow=false&partition=1&offset=3']],
    [['--partition', '0', '--from-beginning'], ['topic=air&follow=false&partition=0']],
    [
      ['--partition', '1', '--from-time', '2026-01-31T08:00Z'],
      [`topic=air&follow=false&partition=1&fromTimeMs=${Date.UTC(2026, 0, 31, 8)}`],
    ],
    [['--from-beginning', '--max-messages', '2'], ['topic=air&follow=false&limit=2']],
  ])('asks with %j for just that', async (words, queries) => {
    gateway.answer = reading(() => []);
    expect((await cli(['consume', 'air', ...words])).code).toBe(0);
    const paths = gateway.requests.map(({ path }) => path).filter((path) => path.startsWith('/api/records'));
    expect(paths).toEqual(queries.map((query) => `/api/records?${query}`));
  });

  it('with --follow alone starts at the end of every partition, and ends after --max-messages', async () => {
    gateway.answer = reading((url) => [{ value: `p${url.searchParams.get('partition')}` }], false);
    const { code, output } = await cli(['consume', 'air', '--follow', '--max-messages', '2']);
    expect({ code, lines: output.split('\n').sort() }).toEqual({ code: 0, lines: ['', 'p0', 'p1'] });
    const paths = gateway.requests.map(({ path }) => path).filter((path) => path.startsWith('/api/records'));
    expect(paths.sort()).toEqual([
      '/api/records?topic=air&follow=true&limit=2&partition=0&offset=5',
      '/api/records?topic=air&follow=true&limit=2&partition=1&offset=7',
    ]);
  });

  it('with --follow fails when the gateway stops', async () => {
    gateway.answer = reading(() => [{ value: 'x' }]);
    const { code, errors } = await cli(['consume', 'air', '--follow', '--partition', '0']);
    expect(code).toBe(1);
    expect(errors).toContain('the gateway has ended the stream');
  });

  it('fails when a stream breaks off, so that a part is not taken for the whole', async () => {
    gateway.answer = (_, response) => {
      response.write('{"value":"x"}\n{"val', () => response.destroy());
    };
    const { code, output, errors } = await cli(['consume', 'air', '--from-beginning']);
    expect({ code, output }).toEqual({ code: 1, output: 'x\n' });
    expect(errors).toContain('the gateway cannot be talked to');
  });

  it('with --follow says that the topic may have been deleted when the stream ends', async () => {
    gateway.answer = reading(() => []);
    const { errors } = await cli(['consume', 'air', '--follow', '--from-beginning']);
    expect(errors).toContain('it is stopping, or topic air was deleted');
  });

  it('says which topics and partitions there are', async () => {
    gateway.answer = reading(() => []);
    expect((await cli(['consume', 'fire', '--follow'])).errors).toBe(
      'there is no topic fire; there are: air\n',
    );
    expect((await cli(['consume', 'air', '--follow', '--partition', '2'])).errors).toBe(
      'topic air has no partition 2; it has 0 to 1\n',
    );
  });

  it('ends quietly when its reader has had enough, also on an endless stream', async () => {
    let taken = 0;
    const output = new Writable({
      write(_chunk, _encoding, done) {
        taken++;
        done(taken > 3 ? Object.assign(new Error('EPIPE'), { code: 'EPIPE' }) : null);
      },
    });
    gateway.answer = reading(() => Array.from({ length: 100 }, (_, value) => ({ value: `${value}` })), false);
    const words = ['consume', 'air', '--from-beginning', '--follow'];
    expect(await cli(words, { output })).toMatchObject({ code: 0, errors: '' });
    expect(taken).toBe(4);
  });

  it('reads no faster than its output takes', async () => {
    let open = 0;
    let most = 0;
    const output = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        open++;
        most = Math.max(most, open);
        setImmediate(() => {
          open--;
          done();
        });
      },
    });
    gateway.answer = reading(() => Array.from({ length: 50 }, () => ({ value: 'x' })));
    expect((await cli(['consume', 'air', '--from-beginning'], { output })).code).toBe(0);
    expect({ most, left: output.writableLength }).toEqual({ most: 1, left: 0 });
  });
});
