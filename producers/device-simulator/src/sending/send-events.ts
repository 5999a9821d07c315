import { setImmediate as turn } from 'node:timers/promises';
import { type Clock, CodedError } from '@twinstream/runtime';
import type { PutOutcome, StreamProducer } from '@twinstream/stream-producer';
import type { SpanExporter } from '@twinstream/telemetry';
import type { Ledger } from './ledger.ts';
import { outcomeLine, refusedLine, unsentLine } from './ledger-entry.ts';
import type { EventSource, PlannedEvent } from './planned-event.ts';
import { bytesOf, type SimulatedRecord } from './simulated-record.ts';
import type { Tally } from './tally.ts';
import { putSpan } from './traced-source.ts';

export interface SendOptions {
  readonly source: EventSource;
  readonly producer: Pick<StreamProducer<SimulatedRecord>, 'put'>;
  readonly tally: Tally;
  readonly ledger: Ledger | undefined;
  /** Takes a span of each traced event. */
  readonly spans?: Pick<SpanExporter, 'add'> | undefined;
  readonly clock: Clock;
  /** When offset 0 is, in milliseconds since 1970. */
  readonly startMs: number;
  /** An event that could not be handed over so long after it was due is dropped, in milliseconds; Infinity to send all. */
  readonly delayMsMax: number;
  /** Aborted when nothing more shall be sent. */
  readonly stop: AbortSignal;
}

/** Events sent in one go, before answers of the stream get their turn. */
const BURST_EVENTS_MAX = 256;
/** Timers hold 2^31 - 1 ms. */
const SLEEP_MS_MAX = 3_600_000;

/**
 * Hands the events of a source to the producer, each when it is due: an open loop, in which a stream that is slow delays
 * events but not the schedule, and latency counts from the moment at which an event was due.
 *
 * Resolves when the source has ended or `stop` is aborted, before all outcomes are known. Rejects with the stream's
 * error when it refuses events for good (`STREAM_REJECTED`: no such stream, no permission), and with what the source or the ledger throw.
 */
export async function sendEvents(options: SendOptions): Promise<void> {
  const { source, producer, tally, ledger, spans, clock, startMs, delayMsMax, stop } = options;
  let n = 0;
  let burst = 0;
  let refusal: CodedError | undefined;

  function onOutcome(outcome: PutOutcome<SimulatedRecord>): void {
    const atMs = clock.now();
    tally.outcome(outcome, atMs);
    const { n: place, planned, trace, partitionKey, sentAtMs } = outcome.record;
    if (trace !== undefined) {
      const error = outcome.status === 'failed' ? { error: outcome.reason.code } : {};
      const ended = { attempts: outcome.attempts, ...error };
      spans?.add(putSpan({ partitionKey, sentAtMs, trace }, ended, atMs));
    }
    if (planned !== undefined) ledger?.write(outcomeLine(place, planned, outcome, atMs));
    if (outcome.status === 'failed' && outcome.reason.code === 'STREAM_REJECTED') refusal ??= outcome.reason;
  }

  /** A promise when the caller must wait. */
  function hand(planned: PlannedEvent, dueAtMs: number, sentAtMs: number): Promise<void> | undefined {
    const record: SimulatedRecord = {
      partitionKey: planned.deviceId,
      data: bytesOf(planned),
      planned: ledger === undefined ? undefined : planned,
      trace: planned.trace,
      n,
      dueAtMs,
      sentAtMs,
    };
    const wait = producer.put(record, onOutcome);
    if (!(wait instanceof Promise)) {
      tally.accepted(planned);
      return undefined;
    }
    return wait.then(
      () => tally.accepted(planned),
      (error) => refuse(planned, record, error),
    );
  }

  function refuse(planned: PlannedEvent, { n: place, dueAtMs }: SimulatedRecord, error: unknown): void {
    if (!(error instanceof CodedError)) throw error;
    // The run is being stopped: what is not accepted any more has never been due.
    if (error.code === 'PRODUCER_CLOSED' && stop.aborted) return;
    tally.refused(planned, error);
    ledger?.write(refusedLine(place, planned, dueAtMs, error.code));
  }

  /** False when the run is stopped meanwhile. */
  async function waitUntil(dueAtMs: number): Promise<boolean> {
    for (let leftMs = dueAtMs - clock.now(); leftMs > 0; leftMs = dueAtMs - clock.now()) {
      burst = 0;
      try {
        await clock.sleep(Math.min(leftMs, SLEEP_MS_MAX), stop);
      } catch (error) {
        if (stop.aborted) return false;
        throw error;
      }
    }
    return true;
  }

  /** A promise when the caller must wait. */
  function send(planned: PlannedEvent, dueAtMs: number, nowMs: number): Promise<void> | undefined {
    if (planned.fault === 'drop') {
      tally.withheld(planned);
      ledger?.write(unsentLine(n, planned, 'withheld', dueAtMs));
      return undefined;
    }
    if (nowMs - dueAtMs > delayMsMax) {
      tally.dropped(planned);
      ledger?.write(unsentLine(n, planned, 'dropped', dueAtMs));
      return undefined;
    }
    return hand(planned, dueAtMs, nowMs);
  }

  while (!stop.aborted && refusal === undefined) {
    const step = source.next();
    const planned = step instanceof Promise ? await step : step;
    if (planned === undefined) break;
    const nowMs = clock.now();
    const dueAtMs = planned.dueMs === undefined ? nowMs : startMs + planned.dueMs;
    if (dueAtMs > nowMs && !(await waitUntil(dueAtMs))) break;
    if (burst >= BURST_EVENTS_MAX) {
      burst = 0;
      await turn();
    }
    burst += 1;
    n += 1;
    const wait = send(planned, dueAtMs, planned.dueMs === undefined ? dueAtMs : clock.now());
    if (wait !== undefined) await wait;
    const room = ledger?.room();
    if (room !== undefined) await room;
  }
  if (refusal !== undefined) throw refusal;
}
