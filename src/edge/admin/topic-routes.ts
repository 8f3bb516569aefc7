import type { TopicStatus } from '../status.ts';
import type { TopicChange, TopicChanges } from '../topic-changes.ts';
import type { AdminApp } from './admin-app.ts';
import { listOf, objectOf } from './description/json-schema.ts';
import { topicStatusSchemas } from './description/status-schema.ts';
import { topicDescriptionSchema } from './description/topic-schema.ts';
import { type TopicInput, topicChangeSchema, topicInputSchema } from './topic-json.ts';

/** Each change is durable once it is answered, with the topic as it is then (or was, if it is deleted). */
export function addTopics(app: AdminApp, topics: TopicChanges): void {
  const list = objectOf<{ topics: object }>({ topics: listOf(objectOf<TopicStatus>(topicStatusSchemas)) });
  app.get(
    '/api/topics',
    { schema: { summary: 'All topics, in the order of their creation.', response: { 200: list } } },
    () => ({ topics: topics.list() }),
  );
  const response = { 200: topicDescriptionSchema };
  app.post<{ Body: TopicInput }>(
    '/api/topics',
    {
      schema: {
        summary: 'Creates a topic.',
        body: topicInputSchema,
        response: { 201: topicDescriptionSchema },
      },
    },
    async ({ body: { name, partitions, settings = {} } }, reply) => {
      await topics.create(name, partitions, settings);
      return reply.code(201).send(topics.describe(name));
    },
  );
  type Named = { Params: { name: string } };
  app.get<Named>(
    '/api/topics/:name',
    { schema: { summary: 'One topic with its settings.', response } },
    ({ params: { name } }) => topics.describe(name),
  );
  app.patch<Named & { Body: TopicChange }>(
    '/api/topics/:name',
    { schema: { summary: 'Changes a topic, by a JSON merge patch.', body: topicChangeSchema, response } },
    async ({ params: { name }, body }) => {
      await topics.change(name, body);
      return topics.describe(name);
    },
  );
  app.delete<Named>(
    '/api/topics/:name',
    { schema: { summary: 'Removes a topic with its records.', response } },
    async ({ params: { name } }) => {
      const last = topics.describe(name);
      await topics.delete(name);
      return last;
    },
  );
}
