import type { TopicStatus } from '../status.ts';
import type { AdminClient } from './admin-client.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { topicRows } from './status.ts';
import type { Terminal } from './terminal.ts';

/** The topics of the running gateway, with how far each partition reaches. */
export async function fetchTopics(client: AdminClient): Promise<readonly TopicStatus[]> {
  const { topics } = (await client.json('GET', '/api/topics')) as { topics: readonly TopicStatus[] };
  return topics;
}

/** `headwater topics list`. */
export async function listTopics(client: AdminClient, terminal: Terminal, json: boolean): Promise<ExitCode> {
  const topics = await fetchTopics(client);
  const text = json ? JSON.stringify({ topics }) : topicRows(topics).join('\n');
  await terminal.output.write(`${text}\n`);
  return exitCodes.ok;
}

/** `headwater topics create`: the topic is durable once this has resolved. */
export async function createTopic(
  client: AdminClient,
  terminal: Terminal,
  topic: { readonly name: string; readonly partitions: number },
): Promise<ExitCode> {
  await client.json('POST', '/api/topics', topic);
  const partitions = topic.partitions === 1 ? '1 partition' : `${topic.partitions} partitions`;
  await terminal.output.write(`created topic ${topic.name} with ${partitions}\n`);
  return exitCodes.ok;
}
