/** A session that outlasts its connections, with what it has subscribed to. */
export interface StoredSession {
  readonly client: string;
  /** How long the gateway has run without the client, milliseconds. */
  readonly awayMs: number;
  readonly subscriptions: readonly { readonly topic: string; readonly qos: number }[];
}

/** A message on its way to a subscriber, at QoS 1 or 2. */
export interface StoredMessage extends StoredHandshake {
  readonly client: string;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
}

/** How far the delivery of a message is. */
export interface StoredHandshake {
  /** Ascending in the order in which the messages became durable. */
  readonly number: number;
  /** The packet id under which it was sent; null before. */
  readonly messageId: number | null;
  /** QoS 2: the subscriber has it, and is told to release the packet id. */
  readonly isReleased: boolean;
}

/** What new subscribers of a topic are given. */
export interface StoredRetained {
  readonly topic: string;
  readonly qos: number;
  readonly payload: Uint8Array;
}

/** What is published if a client does not come back. */
export interface StoredWill {
  readonly client: string;
  /** Null for a client without a user. */
  readonly user: string | null;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
  readonly retain: boolean;
  /** After so long without a sign the client counts as gone; 0: its CONNECT asked for no such time. */
  readonly keepAliveMs: number;
}

/** The next offset of each partition, by its name. */
export type Positions = Readonly<Record<string, number>>;

/** All that is kept, as of one moment of the log. */
export interface StoreContent {
  readonly sessions: readonly StoredSession[];
  readonly queued: readonly StoredMessage[];
  readonly retained: readonly StoredRetained[];
  readonly wills: readonly StoredWill[];
  /**
   * By partition of the topic that MQTT writes to: what is below this offset has taken effect, and nothing else. `none` if
   * nothing was ever kept, `lost` if nothing is known of that.
   */
  readonly positions: Positions | 'none' | 'lost';
}

/** Rows to be put, by their key instead of what is there, and keys of those to be removed. */
export interface Changes<Key, Row> {
  readonly put: readonly Row[];
  readonly remove: readonly Key[];
}

/** What is written in one transaction: all of it, or nothing. */
export interface StoreChanges {
  /** Everything else that is stored is to go. */
  readonly isWhole: boolean;
  readonly sessions: Changes<string, StoredSession>;
  readonly queued: Changes<number, StoredMessage>;
  /** Of messages that are stored. */
  readonly handshakes: readonly StoredHandshake[];
  readonly retained: Changes<string, StoredRetained>;
  readonly wills: Changes<string, StoredWill>;
  /** Null while that is not known. */
  readonly positions: Positions | null;
}

/** Where sessions, what waits for their clients, retained messages and wills are kept. It never holds up the event loop. */
export interface SessionStore {
  /**
   * What was kept. What cannot be read is set aside, and all begins anew: that is no error, whoever keeps the store tells
   * it.
   */
  load(): Promise<StoreContent>;
  /** From now on there may be something to keep: a start after a crash knows that, whatever was written by then. */
  begin(): void;
  /**
   * Writes changes: they survive the end of the process, and a power cut too once `isSynced` was asked for, then or later.
   * Rejects if they could not be written, and then nothing of them is; the next ones are to be the whole.
   */
  write(changes: StoreChanges, isSynced: boolean): Promise<void>;
  /** Ends it, after what is being written. */
  close(): Promise<void>;
}

/** Nothing. */
export const nothingKept = { sessions: [], queued: [], retained: [], wills: [] } as const;
