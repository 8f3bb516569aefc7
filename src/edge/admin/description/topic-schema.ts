import type { TopicDescription } from '../../topic-changes.ts';
import type { SettingsInForce } from '../../topic-settings.ts';
import {
  count,
  flag,
  listOf,
  nullable,
  objectOf,
  oneOfTexts,
  optional,
  type Schema,
  text,
} from './json-schema.ts';
import { topicStatusSchemas } from './status-schema.ts';

const setting = (value: Schema): Schema =>
  objectOf<{ value: unknown; source: string }>({
    value,
    source: oneOfTexts(['configuration', 'kept', 'default']),
  });

const retention = {
  anyOf: [
    { enum: ['until-forwarded', null] },
    objectOf<{ bytes?: number; ageMs?: number }>({ bytes: optional(count), ageMs: optional(count) }),
  ],
};

/** The JSON schema of a {@link TopicDescription}. */
export const topicDescriptionSchema: Schema = objectOf<TopicDescription>({
  ...topicStatusSchemas,
  isConfigured: flag,
  writers: listOf(text),
  settings: objectOf<SettingsInForce>({
    retention: setting(retention),
    dropUnforwarded: setting(flag),
    segmentBytes: setting(count),
    compression: setting(text),
    priority: setting(count),
    lane: setting(oneOfTexts(['alarm', 'bulk'])),
    centralPartitions: setting(nullable(count)),
  }),
});
