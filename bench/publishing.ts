import { connectAsync } from 'mqtt';
import { deviceOf, reading } from './backlog.ts';

const TICK_MS = 50;

/** Sensors that publish with QoS 1 to `host:port`, so many readings a second all together, until they are stopped. */
export async function publishing(
  mqtt: string,
  readingsPerSecond: number,
): Promise<{ readonly stop: () => Promise<void> }> {
  const client = await connectAsync(`mqtt://${mqtt}`);
  const startedMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) * readingsPerSecond) / 1000);
    for (; sent < due; sent += 1) client.publish(deviceOf(sent), reading(sent), { qos: 1 });
  }, TICK_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await client.endAsync(true);
    },
  };
}
