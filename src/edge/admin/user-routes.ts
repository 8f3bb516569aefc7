import type { ImportedUser } from '../users/mosquitto-passwd.ts';
import type { NewUser, UserAdministration, UserChange } from '../users/users.ts';
import type { AdminApp } from './admin-app.ts';
import { importSchema, newUserSchema, userChangeSchema } from './user-json.ts';

/** Each change is durable once it is answered, and counts at once. No answer holds a password or a hash. */
export function addUsers(app: AdminApp, users: UserAdministration): void {
  app.get('/api/users', async () => ({ users: await users.list() }));
  app.post<{ Body: NewUser }>('/api/users', { schema: { body: newUserSchema } }, async ({ body }, reply) =>
    reply.code(201).send(await users.add(body)),
  );
  app.post<{ Body: { users: readonly ImportedUser[] } }>(
    '/api/users/import',
    { schema: { body: importSchema } },
    async ({ body }) => await users.import(body.users),
  );
  type Named = { Params: { name: string } };
  app.patch<Named & { Body: UserChange }>(
    '/api/users/:name',
    { schema: { body: userChangeSchema } },
    async ({ params: { name }, body }) => await users.change(name, body),
  );
  app.delete<Named>('/api/users/:name', async ({ params: { name } }) => await users.remove(name));
}
