import type { StoreChanges, StoreContent } from '../../ingest/mqtt/sessions/session-store.ts';

/** What the gateway's thread asks of the one that keeps MQTT sessions; answered in their order. */
export type StoreRequest =
  | { readonly kind: 'load' }
  | { readonly kind: 'write'; readonly changes: StoreChanges; readonly isSynced: boolean }
  | { readonly kind: 'close' };

/** Its answers. */
export type StoreAnswer =
  | {
      readonly content?: StoreContent;
      readonly damage: string | null;
      /** What all its files take now, one set aside included. */
      readonly bytes: number;
      /** What the device was given or will be, in whole pages: an estimate. */
      readonly deviceBytes: number;
    }
  | { readonly error: string };
