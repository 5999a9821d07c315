import type { StreamTransport } from '@twinstream/stream-producer';

/** One event on its way into a stream. */
export interface OutgoingEvent {
  readonly partitionKey: string;
  readonly data: Buffer;
}

/** A way to put events into a stream, to be measured beside others. */
export interface Subject {
  readonly name: string;
  /** Opens it on a stream. */
  open(transport: StreamTransport): Promise<OpenSubject>;
}

export interface OpenSubject {
  /** Takes the event; a promise under backpressure. */
  put(event: OutgoingEvent): Promise<void> | void;
  /** Resolves when everything put is in the stream. */
  close(): Promise<void>;
  /** Events in the stream so far, as the subject knows it. */
  readonly acknowledgedCount: number;
}
