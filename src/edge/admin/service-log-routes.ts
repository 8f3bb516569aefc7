import type { NewestLines } from '../../core/kept-lines.ts';
import type { AdminAccess } from './access/admin-access.ts';
import type { AdminApp } from './admin-app.ts';
import { ApiError } from './api-error.ts';
import { count, listOf, objectOf, text } from './description/json-schema.ts';

const linesSchema = objectOf<NewestLines>({ lines: listOf(text), leftOut: count });

/** What the service log has said of warnings and errors since the start, for a support bundle. */
export function addServiceLog(app: AdminApp, access: AdminAccess, newest: () => NewestLines): void {
  app.get(
    '/api/service-log',
    {
      schema: {
        summary: 'The newest warnings and errors of the service log since the start; by the token only.',
        response: { 200: linesSchema },
      },
    },
    ({ headers }) => {
      // It names files, addresses and devices, and no page shows it.
      if (access.credentialOf(headers)?.kind !== 'token')
        throw new ApiError(
          'forbidden',
          'the service log is read on the gateway itself: headwater support-bundle',
        );
      return newest();
    },
  );
}
