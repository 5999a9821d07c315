import type { RejectionReason } from '@twinstream/device-model';
import type { TraceContext } from '@twinstream/telemetry';

/** Ways in which events go wrong between a device and the stream. An event suffers one of them at most. */
export const SENDING_FAULTS = ['duplicates', 'outOfOrder', 'late', 'drop', 'malformed'] as const;
/**
 * `duplicates`: this is the second copy of an event. `outOfOrder`: sent after the next event of its device. `late`: sent
 * after 2 to 16 later ones. `drop`: never sent. `malformed`: its bytes were damaged, so that decoders reject them.
 */
export type SendingFault = (typeof SENDING_FAULTS)[number];

/** One event that is to be sent, or to be withheld. */
export interface PlannedEvent {
  /** Also the partition key. */
  readonly deviceId: string;
  readonly type: string;
  readonly time: string;
  /** What the device said, or the producer on its behalf; undefined for a correction, which carries none. */
  readonly session: number | undefined;
  readonly counter: number | undefined;
  /** The event as JSON and a line end, in UTF-8; of a malformed one, what it was before. */
  readonly bytes: Uint8Array;
  /** What is sent in place of them. */
  readonly damaged?: Damage;
  /** When it should be sent, in milliseconds after the start of the run; undefined where there is no schedule: as soon as the stream takes it. */
  readonly dueMs: number | undefined;
  readonly fault?: SendingFault;
  /** The span of its put, which its bytes name; absent for an event that is not traced. */
  readonly trace?: TraceContext;
  /** How far the device's clock is off, in milliseconds; absent for a right one. */
  readonly clockSkewMs?: number;
}

/** Invalid bytes. */
export interface Damage {
  readonly bytes: Uint8Array;
  /** The reason with which they must be rejected. */
  readonly rejection: RejectionReason;
}

/** A text and a line end, in UTF-8. */
export function lineBytes(text: string): Uint8Array {
  return Buffer.from(`${text}\n`);
}

/** Returns events one after the other, a promise where it has to read for the next one, undefined at the end. */
export interface EventSource {
  next(): PlannedEvent | undefined | Promise<PlannedEvent | undefined>;
  /** Releases what it holds open. May be called before the end. */
  close(): Promise<void>;
}
