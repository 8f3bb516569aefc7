import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { expect, test } from 'vitest';
import type { StatusReport } from '../../src/edge/status.ts';
import { headwaterProcess } from '../support/command-process.ts';
import { type RunningGateway, spawnGateway, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const as = (username: string, password: string): IClientOptions => ({ username, password });

const connect = (gateway: RunningGateway, options: IClientOptions = {}): Promise<MqttClient> =>
  connectAsync(`mqtt://${gateway.mqtt}`, { reconnectPeriod: 0, ...options }, false);

/** The code of the CONNACK that refuses. */
const refusal = (gateway: RunningGateway, options: IClientOptions = {}): Promise<number | string> =>
  connect(gateway, options).then(
    (client) => client.endAsync(true).then(() => 'let in'),
    (error: { code?: number }) => error.code ?? String(error),
  );

const closed = (client: MqttClient): Promise<void> =>
  new Promise((resolve) => void client.once('close', () => resolve()));

async function stored({ dataDir }: RunningGateway): Promise<string[]> {
  const { output } = await headwaterProcess(dataDir, ['consume', 'readings', '--from-beginning']);
  return output.split('\n').slice(0, -1);
}

const metrics = async (gateway: RunningGateway): Promise<string> =>
  await (await gateway.api('/metrics')).text();

test('a user added to a running gateway counts at once, and is there after a SIGKILL that follows the answer', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  {
    await using gateway = await startGateway({ dataDir });
    const anonymous = await connect(gateway);
    await anonymous.publishAsync('t', 'before there are users', { qos: 1 });
    const cut = closed(anonymous);
    expect(await headwaterProcess(dataDir, ['devices', 'add', 'pump'], 'geheim\n')).toMatchObject({
      code: 0,
      errors: '',
    });
    await gateway.kill('SIGKILL');
    await cut;
  }
  expect((await stat(join(dataDir, 'users.json'))).mode & 0o777).toBe(0o600);
  await using gateway = await startGateway({ dataDir });
  expect(await refusal(gateway, as('pump', 'falsch'))).toBe(4);
  expect(await refusal(gateway, as('nobody', 'geheim'))).toBe(4);
  expect(await refusal(gateway)).toBe(5);
  const client = await connect(gateway, as('pump', 'geheim'));
  await client.publishAsync('t', 'from the user', { qos: 1 });
  await client.endAsync();
  expect(await stored(gateway)).toEqual(['before there are users', 'from the user']);
  expect(await metrics(gateway)).toMatch(
    /^headwater_mqtt_connections_refused_total\{reason="bad-login"\} 2\n.*\{reason="anonymous"\} 1$/m,
  );
  expect(await metrics(gateway)).toMatch(/^headwater_users 1$/m);
  expect(gateway.stdout() + gateway.stderr()).not.toMatch(/geheim|falsch/);
});

test('a client is cut off, and stays out, once its password is changed or its user removed', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  await headwaterProcess(dataDir, ['devices', 'add', 'pump'], 'secret\n');
  await headwaterProcess(dataDir, ['devices', 'add', 'valve'], 'secret\n');
  await using gateway = await startGateway({ dataDir });
  const valve = await connect(gateway, as('valve', 'secret'));
  const pump = await connect(gateway, as('pump', 'secret'));
  const cut = closed(pump);
  expect((await headwaterProcess(dataDir, ['devices', 'passwd', 'pump'], 'new\n')).code).toBe(0);
  await cut;
  expect(await refusal(gateway, as('pump', 'secret'))).toBe(4);
  const again = await connect(gateway, as('pump', 'new'));
  const cutAgain = closed(again);
  expect((await headwaterProcess(dataDir, ['devices', 'remove', 'pump'])).code).toBe(0);
  await cutAgain;
  expect(await refusal(gateway, as('pump', 'new'))).toBe(4);
  await valve.publishAsync('t', 'undisturbed', { qos: 1 });
  await valve.endAsync();
});

test('who is connected is listed, with what came from it and what was dropped', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const devices = (...args: string[]) => headwaterProcess(dataDir, ['devices', ...args]);
  await headwaterProcess(dataDir, ['devices', 'add', 'pump', '--publish', 'pumps/#'], 'secret\n');
  await using gateway = await startGateway({ dataDir });
  expect((await devices('connected')).output).toBe('no client is connected\n');
  const id = 'pump-\u001b[2J';
  const client = await connect(gateway, { ...as('pump', 'secret'), clientId: id });
  await client.publishAsync('elsewhere', 'bad', { qos: 0 });
  await client.publishAsync('pumps/1', 'good', { qos: 1 });
  const { output, code } = await devices('connected');
  expect(code).toBe(0);
  expect(output).toMatch(
    /^pump-\\u001b\[2J {2}user pump {2}mqtt from 127\.0\.0\.1:\d+ {2}connected \d+ s ago, 1 message, the last \d+ s ago\n {2}DROPPED 1 message, the last \d+ s ago: user pump may not publish to elsewhere; if it should, see headwater devices set --help\n$/,
  );
  expect(JSON.parse((await devices('connected', '--json')).output)).toMatchObject({
    clients: [{ id, user: 'pump', messages: 1, dropped: 1 }],
  });
  expect((await devices('connected', 'valve')).output).toBe('no client that is connected fits "valve"\n');
  await client.endAsync();
});

test('access lists count for messages of every QoS, subscriptions and wills, and change without a restart', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const lists = ['--publish', 'pumps/%c/#', '--subscribe', 'commands/%u'];
  await headwaterProcess(dataDir, ['devices', 'add', 'pump', ...lists], 'secret\n');
  await using gateway = await startGateway({ dataDir });
  const options = { ...as('pump', 'secret'), clientId: 'pump-1' };
  for (const qos of [1, 2] as const) {
    const client = await connect(gateway, options);
    await client.publishAsync('pumps/pump-1/x', `good ${qos}`, { qos });
    const cut = closed(client);
    client.publish('pumps/pump-2/x', `bad ${qos}`, { qos });
    await cut;
    await client.endAsync(true);
  }
  const client = await connect(gateway, options);
  await client.publishAsync('elsewhere', 'bad 0', { qos: 0 });
  await client.publishAsync('pumps/pump-1', 'good 0', { qos: 0 });
  const granted = await client.subscribeAsync(['commands/pump']);
  expect(granted.map(({ qos }) => qos)).toEqual([0]);
  await expect(client.subscribeAsync('#')).rejects.toThrow(/subscribe/i);
  const will = (topic: string) => ({ topic, payload: `will ${topic}`, qos: 1 as const });
  expect(await refusal(gateway, { ...options, clientId: 'w', will: will('elsewhere') })).toBe(5);
  const dying = await connect(gateway, { ...options, clientId: 'w', will: will('pumps/w') });
  dying.stream.destroy();
  await expect
    .poll(() => stored(gateway), { timeout: 20_000 })
    .toEqual(['good 1', 'good 2', 'good 0', 'will pumps/w']);
  const cut = closed(client);
  await headwaterProcess(dataDir, ['devices', 'set', 'pump', '--client', 'pump-1', '--publish', 'elsewhere']);
  await cut;
  const changed = await connect(gateway, options);
  await changed.publishAsync('elsewhere', 'now allowed', { qos: 2 });
  await changed.endAsync();
  expect((await stored(gateway)).at(-1)).toBe('now allowed');
  expect(await metrics(gateway)).toMatch(/^headwater_records_refused_total\{reason="not-allowed"\} 3$/m);
  expect(await metrics(gateway)).toMatch(/^headwater_mqtt_subscriptions_refused_total 1$/m);
});

test.each(['#', '+', 'pump-2/x', '$SYS'])('a client called %s gets nothing by its id', async (clientId) => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  await headwaterProcess(
    dataDir,
    ['devices', 'add', 'pump', '--publish', '%c/#', '--subscribe', '%c/#'],
    'secret\n',
  );
  await using gateway = await startGateway({ dataDir });
  const client = await connect(gateway, { ...as('pump', 'secret'), clientId });
  for (const filter of ['#', '+/x', 'pump-2/x', '$SYS/#'])
    await expect(client.subscribeAsync(filter)).rejects.toThrow(/subscribe/i);
  const cut = closed(client);
  client.publish('pump-2/x', 'bad', { qos: 1 });
  await cut;
  expect(await stored(gateway)).toEqual([]);
});

test('beyond loopback a gateway that never had a user does not start, says what to do, and starts when that is done', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const set = ['mqtt.listen=0.0.0.0:0'];
  await using refused = spawnGateway({ dataDir, set });
  expect(await refused.exited).toMatchObject({ code: 2 });
  expect(refused.stderr()).toMatch(
    /mqtt\.listen: beyond loopback .*headwater devices add NAME .*mqtt\.anonymous: true/,
  );
  await headwaterProcess(dataDir, ['devices', 'add', 'pump'], 'secret\n');
  await using gateway = await startGateway({ dataDir, set });
  const here = { ...gateway, mqtt: gateway.mqtt.replace('0.0.0.0', '127.0.0.1') };
  expect(await refusal(here)).toBe(5);
  const client = await connect(here, as('pump', 'secret'));
  await client.endAsync();
  // Nobody is there to be asked when the power comes back: now it starts, and says that nobody can log in.
  await headwaterProcess(dataDir, ['devices', 'remove', 'pump']);
  await gateway.kill('SIGKILL');
  await using again = await startGateway({ dataDir, set });
  await expect.poll(() => again.stdout()).toMatch(/warning: mqtt\.listen: there are no users/);
});

test('a damaged file of users lets nobody in, and the gateway starts and says so', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  await headwaterProcess(dataDir, ['devices', 'add', 'pump'], 'secret\n');
  const file = join(dataDir, 'users.json');
  const whole = await readFile(file, 'utf8');
  await writeFile(file, whole.replace('"access":{}', '"access":{"publish":["$x/#"]}'));
  await using gateway = await startGateway({ dataDir, set: ['mqtt.listen=0.0.0.0:0'] });
  const here = { ...gateway, mqtt: gateway.mqtt.replace('0.0.0.0', '127.0.0.1') };
  expect(await refusal(here, as('pump', 'secret'))).toBe(4);
  expect(await refusal(here)).toBe(5);
  await expect.poll(() => gateway.stdout()).toMatch(/warning: .*users\.json cannot be used \(its sum/);
  const { users } = (await (await gateway.api('/api/status')).json()) as StatusReport;
  expect(users).toMatchObject({
    count: 0,
    anonymous: 'nobody',
    problem: expect.stringContaining('cannot be used'),
  });
  await headwaterProcess(dataDir, ['devices', 'add', 'pump'], 'secret\n');
  expect(await refusal(here, as('pump', 'secret'))).toBe('let in');
});

test('a flood of wrong logins keeps nobody from publishing, and is stopped', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  await headwaterProcess(dataDir, ['devices', 'add', 'pump'], 'secret\n');
  await using gateway = await startGateway({ dataDir });
  const client = await connect(gateway, as('pump', 'secret'));
  const flood = Promise.all(Array.from({ length: 100 }, () => refusal(gateway, as('stranger', 'guess'))));
  let published = 0;
  const isOver = flood.then(() => true);
  while (!(await Promise.race([isOver, client.publishAsync('t', 'x', { qos: 1 }).then(() => false)])))
    published++;
  const codes = await flood;
  expect(codes.filter((code) => code === 4).length).toBeLessThan(10);
  expect(codes.filter((code) => code === 5).length).toBeGreaterThan(90);
  expect(published).toBeGreaterThan(0);
  expect(await refusal(gateway, as('pump', 'secret'))).toBe('let in');
  // The service log says it a few times, then as a sum.
  expect(
    gateway
      .stdout()
      .split('\n')
      .filter((line) => line.includes('too many logins')).length,
  ).toBeLessThan(12);
  await client.endAsync();
});
