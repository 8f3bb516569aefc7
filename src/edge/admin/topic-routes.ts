import type { FastifyInstance } from 'fastify';
import { limits } from '../../core/limits.ts';
import { compressions } from '../../log/types.ts';
import type { TopicChange, TopicChanges } from '../topic-changes.ts';
import type { SettingsPatch } from '../topic-settings.ts';

interface TopicPath {
  readonly Params: { readonly name: string };
}

interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly settings?: SettingsPatch;
}

const integer = (minimum: number, maximum: number) => ({ type: ['integer', 'null'], minimum, maximum });

const partitions = { type: 'integer', minimum: 1, maximum: limits.partitionsPerTopicMax };

const settings = {
  type: 'object',
  additionalProperties: false,
  properties: {
    retention: {
      anyOf: [
        { enum: ['until-forwarded', null] },
        {
          type: 'object',
          additionalProperties: false,
          properties: {
            bytes: integer(1, limits.storedBytesMax),
            ageMs: integer(1, limits.retentionAgeMsMax),
          },
        },
      ],
    },
    dropUnforwarded: { type: ['boolean', 'null'] },
    segmentBytes: integer(limits.segmentBytesMin, limits.segmentBytesMax),
    compression: { enum: [...compressions, null] },
    priority: integer(0, limits.topicPriorityMax),
  },
};

const newTopic = {
  type: 'object',
  required: ['name', 'partitions'],
  additionalProperties: false,
  properties: { name: { type: 'string' }, partitions, settings },
};

const topicChange = {
  type: 'object',
  minProperties: 1,
  additionalProperties: false,
  properties: { partitions, settings },
};

/** `/api/topics` and `/api/topics/NAME`. Each change is durable once it is answered, with the topic as it is then. */
export function addTopicRoutes(app: FastifyInstance, topics: TopicChanges): void {
  app.get('/api/topics', () => ({ topics: topics.list() }));
  app.post<{ Body: NewTopic }>('/api/topics', { schema: { body: newTopic } }, async ({ body }, reply) => {
    await topics.create(body.name, body.partitions, body.settings ?? {});
    return reply.code(201).send(topics.describe(body.name));
  });
  app.get<TopicPath>('/api/topics/:name', ({ params }) => topics.describe(params.name));
  app.patch<TopicPath & { Body: TopicChange }>(
    '/api/topics/:name',
    { schema: { body: topicChange } },
    async ({ params, body }) => {
      await topics.change(params.name, body);
      return topics.describe(params.name);
    },
  );
  app.delete<TopicPath>('/api/topics/:name', async ({ params: { name } }) => {
    const last = topics.describe(name);
    await topics.delete(name);
    return last;
  });
}
