import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { Harness, until } from '../ingest/mqtt/harness.ts';
import { openLog, readTexts } from '../support/log-on-disk.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';

/** Runs one of Mosquitto's clients against the ingest; resolves with its exit code. */
async function mosquitto(
  program: string,
  harness: Harness,
  args: readonly string[],
  input = '',
): Promise<number> {
  const port = String(harness.port());
  const child = spawn(program, ['-h', '127.0.0.1', '-p', port, ...args], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  try {
    child.stdin.end(input);
    const [code]: unknown[] = await once(child, 'close');
    return Number(code);
  } catch (error) {
    throw new Error(`${program} cannot be run; install it with: apt-get install mosquitto-clients`, {
      cause: error,
    });
  } finally {
    child.kill();
  }
}

test.each(['0', '1'])('mosquitto_pub with QoS %s is accepted and ends well', async (qos) => {
  await using harness = await Harness.start();
  const code = await mosquitto('mosquitto_pub', harness, ['-t', 'sensors/1', '-q', qos, '-m', '21.5']);
  expect(code).toBe(0);
  await until(() => harness.log.offers.length === 1, 'the record');
  expect(harness.log.values()).toEqual(['21.5']);
});

test('each line that mosquitto_pub reads becomes a record, in order', async () => {
  await using harness = await Harness.start();
  const lines = Array.from({ length: 1000 }, (_, index) => `line ${index}`);
  const code = await mosquitto(
    'mosquitto_pub',
    harness,
    ['-t', 't', '-q', '1', '-l'],
    `${lines.join('\n')}\n`,
  );
  expect(code).toBe(0);
  expect(harness.log.values()).toEqual(lines);
});

test('each line that mosquitto_pub sends with QoS 2 is there once, and no packet id stays open', async () => {
  const log = await openLog(new SimDisk(new SimRandom(1)).session());
  await log.createTopic('readings', 1);
  await using harness = await Harness.start(log);
  const lines = Array.from({ length: 1000 }, (_, index) => `line ${index}`);
  const session = ['-i', 'device', '--disable-clean-session'];
  const code = await mosquitto(
    'mosquitto_pub',
    harness,
    [...session, '-t', 't', '-q', '2', '-l'],
    `${lines.join('\n')}\n`,
  );
  expect(code).toBe(0);
  expect(await readTexts(log, 'readings', 0)).toEqual(lines);
  expect(log.openQos2Ids('device').size).toBe(0);
});

test('mosquitto_pub with MQTT 5 is refused and says so by its exit code', async () => {
  await using harness = await Harness.start();
  const code = await mosquitto('mosquitto_pub', harness, ['-V', '5', '-t', 't', '-m', 'x']);
  expect(code).not.toBe(0);
  expect(harness.log.offers).toEqual([]);
});

test('mosquitto_sub is given what mosquitto_pub publishes', async () => {
  await using harness = await Harness.start();
  // Ends with 0 after one message, and with 27 if none came in time.
  const subscriber = mosquitto('mosquitto_sub', harness, ['-t', 'sensors/#', '-C', '1', '-W', '20']);
  await until(() => harness.connections() === 1, 'the subscriber');
  // Retained, because nothing tells when the subscription is in place.
  await mosquitto('mosquitto_pub', harness, ['-t', 'sensors/1', '-q', '1', '-r', '-m', '21.5']);
  expect(await subscriber).toBe(0);
});
