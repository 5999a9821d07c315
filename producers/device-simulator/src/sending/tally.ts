import type { CodedError } from '@twinstream/runtime';
import type { PutOutcome } from '@twinstream/stream-producer';
import { type LatencySummary, latencyHistogram } from './latency-histogram.ts';
import { type PlannedEvent, SENDING_FAULTS, type SendingFault } from './planned-event.ts';
import type { SimulatedRecord } from './simulated-record.ts';

/** Counts of a run. After its end: scheduled = acknowledged + failed + dropped. */
export interface Counts {
  /** Events that were due, second copies included; events that a fault withheld are not. */
  readonly scheduled: number;
  /** Events that left for the stream at least once. */
  readonly sent: number;
  /** Events that the stream said it has. */
  readonly acknowledged: number;
  /** How often events were sent again. */
  readonly retried: number;
  /** Events that were given up: their fate is in the ledger. */
  readonly failed: number;
  /** Of the failed: an attempt went unanswered, so that the stream may have them. */
  readonly possiblyStored: number;
  /** Events that were not sent because the schedule could not be kept. */
  readonly dropped: number;
}

/** Events by what happened to them on purpose. `drop` counts events that were withheld, `clockSkew` those with a wrong time. */
export type FaultCounts = Readonly<Record<SendingFault | 'clockSkew', number>>;

/** Counts a run, in bounded memory. */
export interface Tally {
  /** The producer has accepted the event. */
  accepted(planned: PlannedEvent): void;
  dropped(planned: PlannedEvent): void;
  withheld(planned: PlannedEvent): void;
  /** The producer did not accept the event. */
  refused(planned: PlannedEvent, reason: CodedError): void;
  outcome(outcome: PutOutcome<SimulatedRecord>, atMs: number): void;
  counts(): Counts;
  faults(): FaultCounts;
  /** Events without an outcome. */
  inFlight(): number;
  /** Failed events by the code of their reason. */
  failedByReason(): Readonly<Record<string, number>>;
  /** From the moment at which an event should have been sent to its acknowledgement. */
  latency(): LatencySummary;
  /** When the last outcome came, in milliseconds since 1970. */
  lastOutcomeAtMs(): number | undefined;
}

export function createTally(): Tally {
  const histogram = latencyHistogram();
  const counts = {
    scheduled: 0,
    sent: 0,
    acknowledged: 0,
    retried: 0,
    failed: 0,
    possiblyStored: 0,
    dropped: 0,
  };
  const faults = { ...Object.fromEntries(SENDING_FAULTS.map((fault) => [fault, 0])), clockSkew: 0 } as {
    -readonly [Name in keyof FaultCounts]: number;
  };
  const reasons = new Map<string, number>();
  let accepted = 0;
  let refused = 0;
  let lastOutcomeAtMs: number | undefined;

  function suffered({ fault, clockSkewMs }: PlannedEvent): void {
    if (fault !== undefined) faults[fault] += 1;
    if (clockSkewMs !== undefined) faults.clockSkew += 1;
  }

  function fail(reason: CodedError): void {
    counts.failed += 1;
    reasons.set(reason.code, (reasons.get(reason.code) ?? 0) + 1);
  }

  return {
    accepted(planned) {
      accepted += 1;
      counts.scheduled += 1;
      suffered(planned);
    },
    dropped(planned) {
      counts.scheduled += 1;
      counts.dropped += 1;
      suffered(planned);
    },
    withheld: suffered,
    refused(planned, reason) {
      refused += 1;
      counts.scheduled += 1;
      suffered(planned);
      fail(reason);
    },
    outcome(outcome, atMs) {
      lastOutcomeAtMs = atMs;
      if (outcome.attempts > 0) counts.sent += 1;
      counts.retried += Math.max(0, outcome.attempts - 1);
      if (outcome.status === 'acknowledged') {
        counts.acknowledged += 1;
        histogram.record(atMs - outcome.record.dueAtMs);
        return;
      }
      if (outcome.possiblyStored) counts.possiblyStored += 1;
      fail(outcome.reason);
    },
    counts: () => ({ ...counts }),
    faults: () => ({ ...faults }),
    inFlight: () => accepted + refused - counts.acknowledged - counts.failed,
    failedByReason: () => Object.fromEntries(reasons),
    latency: () => histogram.summary(),
    lastOutcomeAtMs: () => lastOutcomeAtMs,
  };
}
