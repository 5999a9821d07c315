import type { UserRecord } from '@twinstream/stream-producer';
import type { TraceContext } from '@twinstream/telemetry';
import type { PlannedEvent } from './planned-event.ts';

/** An event on its way: what the producer receives, and returns with the outcome. */
export interface SimulatedRecord extends UserRecord {
  /** Kept for the ledger; without one, a record in flight takes half the memory. */
  readonly planned: PlannedEvent | undefined;
  /** Of an event that is traced. */
  readonly trace?: TraceContext | undefined;
  /** Place among all events of the run, sent or not, from 1. */
  readonly n: number;
  /** When it should have been sent, in milliseconds since 1970. Latency counts from here. */
  readonly dueAtMs: number;
  /** When the producer was given it. */
  readonly sentAtMs: number;
}

/** The bytes that are sent: the event's, or what a fault made of them. */
export function bytesOf(planned: PlannedEvent): Uint8Array {
  return planned.damaged?.bytes ?? planned.bytes;
}
