import type { TopicChange, TopicChanges } from '../topic-changes.ts';
import type { AdminApp } from './admin-app.ts';
import { type TopicInput, topicChangeSchema, topicInputSchema } from './topic-json.ts';

/** Each change is durable once it is answered, with the topic as it is then (or was, if it is deleted). */
export function addTopics(app: AdminApp, topics: TopicChanges): void {
  app.get('/api/topics', () => ({ topics: topics.list() }));
  app.post<{ Body: TopicInput }>(
    '/api/topics',
    { schema: { body: topicInputSchema } },
    async ({ body: { name, partitions, settings = {} } }, reply) => {
      await topics.create(name, partitions, settings);
      return reply.code(201).send(topics.describe(name));
    },
  );
  type Named = { Params: { name: string } };
  app.get<Named>('/api/topics/:name', ({ params: { name } }) => topics.describe(name));
  app.patch<Named & { Body: TopicChange }>(
    '/api/topics/:name',
    { schema: { body: topicChangeSchema } },
    async ({ params: { name }, body }) => {
      await topics.change(name, body);
      return topics.describe(name);
    },
  );
  app.delete<Named>('/api/topics/:name', async ({ params: { name } }) => {
    const last = topics.describe(name);
    await topics.delete(name);
    return last;
  });
}
