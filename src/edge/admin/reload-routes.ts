import type { ReloadOutcome } from '../config-reloads.ts';
import type { AdminApp } from './admin-app.ts';

/** What a configuration that is read again changes; it counts once it is answered. */
export function addReload(app: AdminApp, reload: () => Promise<ReloadOutcome>): void {
  app.post('/api/reload', () => reload());
}
