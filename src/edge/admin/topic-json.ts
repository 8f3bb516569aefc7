import { limits } from '../../core/limits.ts';
import { compressions, laneNames } from '../../log/types.ts';
import type { SettingsPatch } from '../topic-settings.ts';

/** The body of `POST /api/topics`. */
export interface TopicInput {
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
    lane: { enum: [...laneNames, null] },
    centralPartitions: integer(1, limits.centralPartitionsMax),
  },
};

/** The JSON schema of {@link TopicInput}. */
export const topicInputSchema = {
  type: 'object',
  required: ['name', 'partitions'],
  additionalProperties: false,
  properties: { name: { type: 'string' }, partitions, settings },
};

/** The JSON schema of a `TopicChange`, the body of `PATCH /api/topics/NAME`. */
export const topicChangeSchema = {
  type: 'object',
  minProperties: 1,
  additionalProperties: false,
  properties: { partitions, settings },
};
