import { ConnectRefusal } from './client-access.ts';
import { type ConnectionRefusal, Refusal } from './refusals.ts';

/** What a client is refused for whose connection ended with this error; null if it just went away. */
export function connectionRefusalOf(error: Error & { errorCode?: number }): ConnectionRefusal | null {
  if (error instanceof Refusal || error instanceof ConnectRefusal) return error.reason;
  if (error.errorCode === 1) return 'protocol-version';
  // By the broker itself: MQTT 3.1 knows shorter ones only.
  if (error.errorCode === 2) return 'client-id';
  switch (error.message) {
    case 'connection closed':
      return null;
    case 'keep alive timeout':
      return 'keep-alive';
    case 'drain timeout':
      return 'slow-subscriber';
    default:
      return 'protocol';
  }
}
