import type { AlertEvent } from './anomaly-feed.ts';
import type { DatedReading, LabelledMoment } from './recording.ts';

/** What there is to see of the demo at one moment. */
export interface View {
  /** Where the gateway listens, and where it stores. */
  readonly mqtt: string;
  readonly dataDir: string;
  /** The whole recording, of which so much was acknowledged. */
  readonly recording: readonly DatedReading[];
  readonly replayed: number;
  readonly messagesPerSecond: number;
  readonly linesPerSecond: number;
  readonly stored: Stored;
  readonly raised: readonly AlertEvent[];
  /** Of the moments that people have labelled, those that have been replayed. */
  readonly labelled: readonly LabelledMoment[];
}

/** What the gateway says that it has stored. */
export interface Stored {
  readonly readings: number;
  readonly commits: number;
  /** Of their payloads, keys and headers. */
  readonly payloadBytes: number;
  /** Readings that were not looked at yet. */
  readonly waiting: number;
  readonly series: number;
}
