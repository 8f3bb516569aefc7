import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../kafka/cluster.ts';
import { kafkaTools } from '../kafka/tools.ts';
import { until } from '../kafka/until.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { bootFile, CARD_MIB, kept, login, sshKeys } from './appliance.ts';
import { Board, Card } from './board.ts';
import { builtImage } from './built-image.ts';
import { timeServer } from './time-server.ts';

const BUILD_MS_MAX = 1_800_000;
const ARRIVAL_MS_MAX = 240_000;
/** So much later than on this machine it is in the world of the board; Kafka takes what is less than an hour ahead. */
const AHEAD_MS = 30 * 60 * 1000;
/** An emulated board takes a while to receive what was sent to it. */
const STAMP_ERROR_MS_MAX = 2_000;
const READINGS = 5;
const HOST_AS_SEEN_BY_BOARD = '10.0.2.2';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let key: Awaited<ReturnType<typeof sshKeys>>;
let cluster: Cluster;
let card: Card;

beforeAll(async () => {
  folder = await temporaryFolder();
  key = await sshKeys(folder.path);
  let linkPort = '';
  cluster = await startCluster({
    brokers: 1,
    link: (address) => {
      linkPort = address.split(':')[1] ?? '';
      return Promise.resolve(`${HOST_AS_SEEN_BY_BOARD}:${linkPort}`);
    },
  });
  card = await Card.flash(await builtImage(), join(folder.path, 'card'), CARD_MIB);
  const forwarder = `forwarder: { brokers: ['${HOST_AS_SEEN_BY_BOARD}:${linkPort}'], waitForClock: 1h }`;
  await card.put(
    'headwater.yaml',
    `${bootFile(key.publicKey, `  timeServers: [${HOST_AS_SEEN_BY_BOARD}]`)}${forwarder}\n`,
  );
}, BUILD_MS_MAX);
afterAll(async () => {
  await cluster?.close();
  await folder[Symbol.asyncDispose]();
});

test('what came before the clock was set has the right time in Kafka', async () => {
  const console = await kept('clock.txt');
  await using board = await Board.start(card, {
    console,
    sshKey: key.file,
    clock: '2020-01-01T00:00:00',
    reachesHost: true,
  });
  await board.answers('mqtt');
  await board.answers('ssh');
  const imageTimeMs = Date.parse((await board.ssh('cat /usr/share/headwater-appliance/image-time')).trim());
  const clockMs = Number(await board.ssh('date +%s')) * 1000;
  expect(clockMs).toBeGreaterThanOrEqual(imageTimeMs);
  expect(clockMs).toBeLessThan(imageTimeMs + AHEAD_MS);

  const client = await connectAsync(`mqtt://127.0.0.1:${board.mqttPort}`, { ...login, reconnectPeriod: 0 });
  const sentMs: number[] = [];
  for (let index = 0; index < READINGS; index++) {
    sentMs.push(Date.now());
    await client.publishAsync('sensors/kitchen/temperature', String(index), { qos: 1 });
  }
  await client.endAsync();
  const epochs = (await board.ssh('headwater consume clock --from-beginning')).trim().split('\n');
  expect(JSON.parse(epochs.at(-1) ?? '{}')).toMatchObject({ clock: 'not-set' });
  const tools = kafkaTools(cluster.bootstrap);

  await using server = await timeServer(AHEAD_MS);
  expect(server).toBeDefined();
  await board.ssh('systemctl restart systemd-timesyncd');
  const records = await until('the readings are in Kafka', ARRIVAL_MS_MAX, async () => {
    const consumed = await tools.consume('gw1.readings', { readCommitted: true }).catch(() => []);
    return consumed.length >= READINGS ? consumed : undefined;
  });
  expect(records.map(({ value }) => String(value))).toEqual(sentMs.map((_, index) => String(index)));
  for (const [index, { timestampMs }] of records.entries()) {
    const errorMs = timestampMs - ((sentMs[index] ?? 0) + AHEAD_MS);
    expect(Math.abs(errorMs), `reading ${index} is off by ${errorMs} ms`).toBeLessThan(STAMP_ERROR_MS_MAX);
  }
  const told = (await board.ssh('headwater consume clock --from-beginning')).trim().split('\n');
  expect(JSON.parse(told.at(-1) ?? '{}')).toMatchObject({ clock: 'set' });
});
