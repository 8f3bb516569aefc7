import { limits } from '../../core/limits.ts';
import type { AdminAccess } from './access/admin-access.ts';
import { LOGIN_COOKIE } from './access/admin-access.ts';
import type { AdminApp } from './admin-app.ts';
import { ApiError } from './api-error.ts';
import { objectOf, oneOfTexts, text } from './description/json-schema.ts';
import { peerOf } from './peer.ts';
import { isSecured } from './request-guard.ts';

const stateSchema = objectOf<{ state: string }>({ state: oneOfTexts(['unclaimed', 'closed', 'open']) });
const response = { 200: stateSchema };

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
  const config = { open: true };
  const bodyLimit = limits.adminOpenRequestBytesMax;
  const cookie = (headers: { readonly origin?: string | undefined }, token: string, age = ''): string =>
    `${LOGIN_COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/${isSecured(headers, isHttps) ? '; Secure' : ''}${age}`;
  app.get(
    '/api/session',
    { config, schema: { summary: 'Whether this request is let in.', response } },
    ({ headers }) => {
      if (access.credentialOf(headers) !== null) return { state: 'open' };
      return { state: access.state === 'unclaimed' ? 'unclaimed' : 'closed' };
    },
  );
  app.post<{ Body: { password: string } }>(
    '/api/session',
    { config, bodyLimit, schema: { summary: 'Logs in.', body: passwordSchema, response } },
    async ({ body, headers, ip }, reply) => {
      const token = await access.login(body.password, peerOf(ip));
      return reply.header('set-cookie', cookie(headers, token)).send({ state: 'open' });
    },
  );
  app.post<{ Body: { code: string; password: string } }>(
    '/api/claim',
    {
      config,
      bodyLimit,
      schema: { summary: 'Sets the first password, by the one-time code.', body: claimSchema, response },
    },
    async ({ body, headers, ip }, reply) => {
      const token = await access.claim(body, peerOf(ip));
      return reply.header('set-cookie', cookie(headers, token)).send({ state: 'open' });
    },
  );
  app.delete('/api/session', { schema: { summary: 'Logs out.', response } }, ({ headers }, reply) => {
    const credential = access.credentialOf(headers);
    if (credential?.kind === 'login') access.logout(credential.token);
    return reply.header('set-cookie', cookie(headers, '', '; Max-Age=0')).send({ state: 'closed' });
  });
  app.post<{ Body: { password: string } }>(
    '/api/password',
    { schema: { summary: 'Sets the password; by the token only.', body: passwordSchema, response } },
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
