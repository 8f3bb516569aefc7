import { afterEach, beforeEach, expect, test } from 'vitest';
import { AlertBook } from '../../../src/anomaly/alerts/alert-book.ts';
import { alertJson } from '../../../src/anomaly/alerts/verdict.ts';
import { alertsText } from '../../../src/edge/cli/alerts.ts';
import { findingOf, hall } from '../../anomaly/alerts/alert-examples.ts';
import { FakeGateway, json, session } from './fake-gateway.ts';

let gateway: FakeGateway;

beforeEach(async () => {
  gateway = await FakeGateway.start();
});

afterEach(() => gateway.remove());

const cli = (...words: string[]) =>
  session([...words, '--set', `data.dir=${gateway.folder}`], { workingDirectory: gateway.folder });

/** An open alert that is acknowledged, one that is pending, and one on the shelf. */
function examples() {
  const { book } = AlertBook.restored(new Map());
  const nowMs = Date.now();
  const reading = { timeMs: nowMs - 125_000, value: 9000, offset: 4 };
  book.observe(hall, reading, [
    findingOf('out-of-range', { rarity: 'never seen before', isWarmingUp: true }),
    findingOf('drift'),
    findingOf('spike', { severity: 900 }),
  ]);
  for (const { id, kind } of book.alerts()) {
    if (kind === 'spike') book.shelve(id, nowMs + 7_200_500, nowMs);
    if (kind === 'out-of-range') book.acknowledge(id, 'anna', nowMs - 65_000);
  }
  return book.alerts().map(alertJson);
}

test('the open alerts are listed for people, and all of them if that is asked for', async () => {
  const alerts = examples();
  gateway.answer = (_, response) => json(response, 200, { alerts, heldBack: 0 });
  const id = (kind: string) => alerts.find((alert) => alert.kind === kind)?.id.slice(0, 8);
  expect(await cli('alerts', 'list')).toEqual({
    code: 0,
    errors: '',
    output: [
      `${id('out-of-range')}   600  air:hall:co2 is out of range: 9000 ppm, expected 380 to 2000 (above its maximum)`,
      '                active, began 2 min 5 s ago; never seen before; the series is not known well yet; acknowledged by anna 1 min 5 s ago',
      '',
    ].join('\n'),
  });
  const { output } = await cli('alerts', 'list', '--all');
  expect(output).toMatch(new RegExp(`^${id('spike')}   900  .* has a spike`, 'm'));
  expect(output).toContain('active, began 2 min 5 s ago; shelved for 2 h more\n');
  expect(output).toMatch(new RegExp(`^${id('drift')} {5}1  air:hall:co2 drifts away\n +pending`, 'm'));
  expect(JSON.parse((await cli('alerts', 'list', '--json')).output).alerts).toHaveLength(1);
  expect(JSON.parse((await cli('alerts', 'list', '--all', '--json')).output)).toEqual({
    alerts,
    heldBack: 0,
  });
});

test('no alerts, and more than there is room for, are said', async () => {
  gateway.answer = (_, response) => json(response, 200, { alerts: [], heldBack: 7 });
  expect((await cli('alerts', 'list')).output).toBe(
    'no alerts\ntoo many: 7 findings more were only counted\n',
  );
});

test('as much of an id is shown as tells it from all others', async () => {
  const [alert = expect.fail()] = examples();
  const twin = { ...alert, id: `${alert.id.slice(0, 11)}${alert.id[11] === '0' ? '1' : '0'}0000` };
  gateway.answer = (_, response) =>
    json(response, 200, {
      alerts: [
        { ...alert, shelvedUntilMs: null },
        { ...twin, state: 'pending' },
      ],
      heldBack: 0,
    });
  expect((await cli('alerts', 'list')).output.split(' ')[0]).toBe(alert.id.slice(0, 12));
});

test('alerts are acknowledged, shelved and unshelved', async () => {
  const [alert = expect.fail()] = examples();
  gateway.answer = (_, response) => json(response, 200, { ...alert, acknowledgedBy: 'anna' });
  const { message } = alert;
  expect((await cli('alerts', 'ack', '3f2a', '--by', 'anna')).output).toBe(
    `acknowledged by anna: ${message}\n`,
  );
  expect((await cli('alerts', 'shelve', '3f2a', '--for', '2h')).output).toBe(`shelved for 2 h: ${message}\n`);
  expect((await cli('alerts', 'unshelve', '3f2a')).output).toBe(`no longer shelved: ${message}\n`);
  await cli('alerts', 'ack', '3f2a');
  const asked = gateway.requests.map(({ method, path, body }) => [method, path, body && JSON.parse(body)]);
  expect(asked).toEqual([
    ['POST', '/api/alerts/3f2a/ack', { by: 'anna' }],
    ['POST', '/api/alerts/3f2a/shelve', { forMs: 7_200_000 }],
    ['POST', '/api/alerts/3f2a/unshelve', ''],
    ['POST', '/api/alerts/3f2a/ack', { by: expect.stringMatching(/./) }],
  ]);
});

test.each(['list', 'ack', 'unshelve'])(
  'the name of a series cannot drive the terminal: %s',
  async (command) => {
    const [example = expect.fail()] = examples();
    const alert = { ...example, shelvedUntilMs: null, message: 'air:\u001b[2Jhall is out of range' };
    const answer = command === 'list' ? { alerts: [alert], heldBack: 0 } : alert;
    gateway.answer = (_, response) => json(response, 200, answer);
    const { output } = await cli('alerts', command, ...(command === 'list' ? [] : ['3f2a']));
    expect(output).toContain('air:\\u001b[2Jhall is out of range');
    expect(output).not.toContain('\u001b');
  },
);

test.each([
  [['alerts', 'shelve', '3f2a'], "required option '--for <duration>'"],
  [['alerts', 'shelve', '3f2a', '--for', 'long'], 'such as'],
  [['alerts', 'ack'], "missing required argument 'id'"],
  [['alerts', 'ack', '3f2a', '--by', ''], 'at least one character'],
])('%j is a wrong use', async (words, message) => {
  const { code, errors } = await cli(...words);
  expect(code).toBe(2);
  expect(errors).toContain(message);
  expect(gateway.requests).toEqual([]);
});

test('what the gateway refuses is said in its words, and ends with 1', async () => {
  const error = { code: 'unknown-alert', message: 'no alert 3f2a is open' };
  gateway.answer = (_, response) => json(response, 404, { error });
  expect(await cli('alerts', 'ack', '3f2a')).toEqual({
    code: 1,
    output: '',
    errors: 'no alert 3f2a is open\n',
  });
});

test('the status says in a line how many alerts there are', () => {
  const report = {
    series: 12,
    seriesMax: 20,
    evicted: 0,
    readings: 1,
    lagRecords: 0,
    stateBytes: 0,
    heldBack: 0,
  };
  const none = { open: { urgent: 0, high: 0, medium: 0, low: 0 }, unacknowledged: 0, shelved: 0, pending: 0 };
  expect(alertsText(null)).toContain('switched off');
  expect(alertsText({ ...report, alerts: none })).toBe('none open; 12 series are watched');
  const some = { open: { urgent: 1, high: 0, medium: 2, low: 0 }, unacknowledged: 2, shelved: 1, pending: 4 };
  expect(alertsText({ ...report, alerts: some, heldBack: 9, lagRecords: 500 })).toBe(
    '1 urgent, 2 medium ("headwater alerts list"); 2 not acknowledged; 1 shelved; 9 findings MORE, only counted; ' +
      '12 series are watched; 500 records not judged yet',
  );
  expect(alertsText({ ...report, alerts: none, seriesMax: 12, evicted: 3 })).toBe(
    'none open; 12 series are watched; 3 were FORGOTTEN for others: more than anomaly.seriesMax (12) came',
  );
});
