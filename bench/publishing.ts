import { connectAsync } from 'mqtt';
import { deviceOf, reading } from './backlog.ts';

const TICK_MS = 50;

/** What sensors publish, by the number of the message. */
export interface Published {
  readonly topicOf: (index: number) => string;
  readonly payloadOf: (index: number) => string;
}

/** Sensors that publish with QoS 1 to `host:port`, so many messages a second all together, until they are stopped. */
export async function publishing(
  mqtt: string,
  messagesPerSecond: number,
  { topicOf, payloadOf }: Published = { topicOf: deviceOf, payloadOf: reading },
): Promise<{ readonly stop: () => Promise<void> }> {
  const client = await connectAsync(`mqtt://${mqtt}`);
  const startedMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) * messagesPerSecond) / 1000);
    for (; sent < due; sent += 1) client.publish(topicOf(sent), payloadOf(sent), { qos: 1 });
  }, TICK_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await client.endAsync(true);
    },
  };
}
