import type { ReloadOutcome } from '../config-reloads.ts';
import type { AdminApp } from './admin-app.ts';
import { listOf, objectOf, text } from './description/json-schema.ts';

const outcomeSchema = objectOf<ReloadOutcome>({ applied: listOf(text), needsRestart: listOf(text) });

/** What a configuration that is read again changes; it counts once it is answered. */
export function addReload(app: AdminApp, reload: () => Promise<ReloadOutcome>): void {
  app.post(
    '/api/reload',
    {
      schema: {
        summary: 'Reads the configuration again: what counts now, and what after a restart.',
        response: { 200: outcomeSchema },
      },
    },
    () => reload(),
  );
}
