import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { expect, test } from 'vitest';
import { MqttDevice, payloadOf } from '../../demo/mqtt-device.ts';
import { ReplayClock } from '../../demo/replay-clock.ts';

const sensor = {
  label: 'a sensor',
  device: 'hall',
  quantity: 'humidity',
  readings: [
    { timeMs: 0, value: 1 },
    { timeMs: 300_000, value: 2 },
  ],
  fault: null,
};

const connectAck = Buffer.from([0x20, 2, 0, 0]);

/** A broker that lets everybody in, and hangs up at the first thing that is sent after that. */
async function brokerThatHangsUp(): Promise<Server> {
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.write(connectAck);
      socket.once('data', () => socket.destroy());
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

test('a device that loses its connection says so, and has nothing acknowledged', async () => {
  await using server = await brokerThatHangsUp();
  const device = await MqttDevice.connect(`127.0.0.1:${(server.address() as AddressInfo).port}`, sensor);
  const clock = new ReplayClock(0, 300_000, 0);
  const sending = device.send(clock, new AbortController().signal);
  await expect(sending).rejects.toThrow('the connection of the hall to the gateway is lost');
  expect([device.sent, device.acknowledged]).toEqual([2, 0]);
  await device.disconnect();
});

test('a device that is told to stop waits for nothing', async () => {
  await using server = await brokerThatHangsUp();
  const device = await MqttDevice.connect(`127.0.0.1:${(server.address() as AddressInfo).port}`, sensor);
  const clock = new ReplayClock(-300_000, 300_000, 3_600_000);
  await expect(device.send(clock, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
  expect(device.sent).toBe(0);
  await device.disconnect();
});

test('a reading carries the time at which it was measured', () => {
  expect(payloadOf(sensor, { timeMs: Date.parse('2014-02-08T14:30Z'), value: 25.89 })).toBe(
    '{"time":"2014-02-08T14:30:00.000Z","humidity":25.89}',
  );
});
