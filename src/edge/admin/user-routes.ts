import type { ImportedUser } from '../users/mosquitto-passwd.ts';
import type { NewUser, UserAdministration, UserChange } from '../users/users.ts';
import type { AdminApp } from './admin-app.ts';
import {
  importedSchema,
  importSchema,
  newUserSchema,
  userChangeSchema,
  userListSchema,
  userSchema,
} from './user-json.ts';

/** Each change is durable once it is answered, and counts at once. No answer holds a password or a hash. */
export function addUsers(app: AdminApp, users: UserAdministration): void {
  app.get(
    '/api/users',
    { schema: { summary: 'All users, without their secrets.', response: { 200: userListSchema } } },
    async () => ({ users: await users.list() }),
  );
  app.post<{ Body: NewUser }>(
    '/api/users',
    { schema: { summary: 'Adds a user.', body: newUserSchema, response: { 201: userSchema } } },
    async ({ body }, reply) => reply.code(201).send(await users.add(body)),
  );
  app.post<{ Body: { users: readonly ImportedUser[] } }>(
    '/api/users/import',
    {
      schema: {
        summary: 'Adds users with hashes of another broker.',
        body: importSchema,
        response: { 200: importedSchema },
      },
    },
    async ({ body }) => await users.import(body.users),
  );
  const response = { 200: userSchema };
  type Named = { Params: { name: string } };
  app.patch<Named & { Body: UserChange }>(
    '/api/users/:name',
    { schema: { summary: 'Changes a user.', body: userChangeSchema, response } },
    async ({ params: { name }, body }) => await users.change(name, body),
  );
  app.delete<Named>(
    '/api/users/:name',
    { schema: { summary: 'Removes a user.', response } },
    async ({ params: { name } }) => await users.remove(name),
  );
}
