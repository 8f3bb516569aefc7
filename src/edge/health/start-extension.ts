import type { Clock } from '../../core/clock.ts';
import { limits } from '../../core/limits.ts';
import type { ServiceManager } from '../../core/service-manager.ts';

/**
 * Asks for more time while a start goes on, so that a large log on a slow card, or a full disk that is waited for, does not end it: as long as
 * the disk answers. `operations` counts its answers. A start that hangs is ended by the service manager. Resolves with the signal.
 */
export async function extendStart(
  manager: ServiceManager,
  clock: Clock,
  operations: () => number,
  signal: AbortSignal,
): Promise<void> {
  manager.tell({ status: 'starting' });
  for (let seen = operations(); !signal.aborted; ) {
    await clock.sleep(limits.startLookMs, signal);
    const now = operations();
    if (now !== seen && !signal.aborted)
      manager.tell({
        status: 'starting: it takes long, and the disk answers',
        extendMs: limits.startExtensionMs,
      });
    seen = now;
  }
}
