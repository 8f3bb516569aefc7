import type { AdminAccess } from './access/admin-access.ts';
import { LOGIN_COOKIE } from './access/admin-access.ts';
import type { AdminApp } from './admin-app.ts';
import { ApiError } from './api-error.ts';
import { peerOf } from './peer.ts';

const text = { type: 'string' };

const claimSchema = {
  type: 'object',
  required: ['code', 'password'],
  additionalProperties: false,
  properties: { code: text, password: text },
};

const passwordSchema = {
  type: 'object',
  required: ['password'],
  additionalProperties: false,
  properties: { password: text },
};

/** How the page gets in: whether it is, how it sets the first password, how it logs in and out; and how the command line sets another one. */
export function addSessions(app: AdminApp, access: AdminAccess, isHttps: boolean): void {
  const open = { config: { open: true } };
  const cookie = (token: string, age = ''): string =>
    `${LOGIN_COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/${isHttps ? '; Secure' : ''}${age}`;
  app.get('/api/session', open, ({ headers }) => {
    if (access.credentialOf(headers) !== null) return { state: 'open' };
    return { state: access.state === 'unclaimed' ? 'unclaimed' : 'closed' };
  });
  app.post<{ Body: { password: string } }>(
    '/api/session',
    { ...open, schema: { body: passwordSchema } },
    async ({ body, ip }, reply) => {
      const token = await access.login(body.password, peerOf(ip));
      return reply.header('set-cookie', cookie(token)).send({ state: 'open' });
    },
  );
  app.post<{ Body: { code: string; password: string } }>(
    '/api/claim',
    { ...open, schema: { body: claimSchema } },
    async ({ body, ip }, reply) => {
      const token = await access.claim(body, peerOf(ip));
      return reply.header('set-cookie', cookie(token)).send({ state: 'open' });
    },
  );
  app.delete('/api/session', ({ headers }, reply) => {
    const credential = access.credentialOf(headers);
    if (credential?.kind === 'login') access.logout(credential.token);
    return reply.header('set-cookie', cookie('', '; Max-Age=0')).send({ state: 'closed' });
  });
  app.post<{ Body: { password: string } }>(
    '/api/password',
    { schema: { body: passwordSchema } },
    async ({ headers, body }) => {
      // A page that was left open is not to take the gateway away from whoever knows the password.
      if (access.credentialOf(headers)?.kind !== 'token')
        throw new ApiError(
          'forbidden',
          'the password is changed on the gateway itself: headwater admin passwd',
        );
      await access.setPassword(body.password);
      return { state: 'closed' };
    },
  );
}
