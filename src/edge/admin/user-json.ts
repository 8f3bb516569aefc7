import { limits } from '../../core/limits.ts';
import type { AccessLists } from '../../ingest/mqtt/topic-access.ts';
import type { UserSummary } from '../users/user.ts';
import type { Imported } from '../users/users.ts';
import { flag, listOf, mapOf, objectOf, optional, text } from './description/json-schema.ts';

/*
 * What users look like in requests, as JSON schemas. Names, passwords and patterns themselves are judged where the users are
 * kept, which says what to write instead.
 */

const patterns = { type: ['array', 'null'], items: text, maxItems: limits.topicPatternsMax };

const access = {
  type: 'object',
  additionalProperties: false,
  properties: { publish: patterns, subscribe: patterns },
};

/** The JSON schema of a `NewUser`, the body of `POST /api/users`. */
export const newUserSchema = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: { name: text, password: text, access },
};

/** The JSON schema of a `UserChange`, the body of `PATCH /api/users/NAME`. */
export const userChangeSchema = {
  type: 'object',
  minProperties: 1,
  additionalProperties: false,
  properties: {
    password: text,
    access,
    clientId: { type: 'string', maxLength: limits.mqttClientIdBytesMax },
  },
};

const base64 = {
  type: 'string',
  pattern: '^[A-Za-z0-9+/]{2,}={0,2}$',
  maxLength: limits.userNameBytesMax * 2,
};
const hash = (scheme: string, more: object) => ({
  type: 'object',
  required: ['scheme', 'salt', 'hash', ...Object.keys(more)],
  additionalProperties: false,
  properties: { scheme: { const: scheme }, salt: base64, hash: base64, ...more },
});

/** The JSON schema of the body of `POST /api/users/import`. */
export const importSchema = {
  type: 'object',
  required: ['users'],
  additionalProperties: false,
  properties: {
    users: {
      type: 'array',
      maxItems: limits.usersMax,
      items: {
        type: 'object',
        required: ['name', 'password'],
        additionalProperties: false,
        properties: {
          name: text,
          password: {
            oneOf: [
              hash('sha512', {}),
              hash('pbkdf2-sha512', {
                iterations: { type: 'integer', minimum: 1, maximum: limits.importedIterationsMax },
              }),
            ],
          },
        },
      },
    },
  },
};

const accessLists = objectOf<AccessLists>({
  publish: optional(listOf(text)),
  subscribe: optional(listOf(text)),
});

/** The JSON schema of a {@link UserSummary}. */
export const userSchema = objectOf<UserSummary>({
  name: text,
  isImported: flag,
  hasPassword: flag,
  access: accessLists,
  clients: mapOf(accessLists),
});

/** The JSON schema of the answer of `GET /api/users`. */
export const userListSchema = objectOf<{ users: object }>({ users: listOf(userSchema) });

/** The JSON schema of an {@link Imported}. */
export const importedSchema = objectOf<Imported>({ added: listOf(text), kept: listOf(text) });
