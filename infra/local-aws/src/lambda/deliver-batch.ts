import type { MappingSettings } from '@twinstream/pipeline-settings';
import type { Clock } from '@twinstream/runtime';
import { type BackoffOptions, fullJitterMs } from '@twinstream/stream-model';
import { type BatchVerdict, batchVerdict } from './batch-answer.ts';
import type { DiscardCondition, DiscardedBatch, LastInvocation } from './failure-destination.ts';
import type { InvokeOutcome } from './function-invoker.ts';
import { type EventRecord, eventJson } from './kinesis-event.ts';

/** Waits between tries. AWS does not say how long it waits; these are ours. */
export const INVOKE_BACKOFF: BackoffOptions = { baseMs: 200, capMs: 30_000 };
/** Between halvings: finding one record among 10,000 takes 14 of them. */
export const BISECT_BACKOFF: BackoffOptions = { baseMs: 50, capMs: 1_000 };
/** A function that is not there yet, or busy, is asked more often: it is usually being restarted. */
export const UNAVAILABLE_BACKOFF: BackoffOptions = { baseMs: 100, capMs: 2_000 };

type Rules = Pick<
  MappingSettings,
  'reportBatchItemFailures' | 'bisectBatchOnFunctionError' | 'retryAttemptsMax' | 'recordAgeSecondsMax'
>;

/** What delivery of one batch needs and reports to. */
export interface DeliveryPorts {
  readonly rules: Rules;
  readonly clock: Clock;
  /** Draws from [0, 1). */
  readonly random: () => number;
  /** Ends delivery before the next invocation or wait; what is not finished then stays so. */
  readonly stop: AbortSignal;
  invoke(payload: string): Promise<InvokeOutcome>;
  /** Records that are done with, in order. */
  finished(records: readonly EventRecord[]): void;
  /** Keeps given-up records; resolves to true when they are safe, to false when `stop` came first. */
  discard(batch: Omit<DiscardedBatch, 'shardId'>): Promise<boolean>;
  observe(event: DeliveryEvent): void;
}

export type DeliveryEvent =
  | { readonly kind: 'invoked'; readonly records: number; readonly outcome: InvokeOutcome['kind'] }
  | { readonly kind: 'retry' | 'bisected' | 'partial' }
  | { readonly kind: 'discarded'; readonly records: number; readonly condition: DiscardCondition };

/** Records that travel together, with their history as one batch. */
interface Unit {
  readonly records: readonly EventRecord[];
  readonly invokeCount: number;
  readonly lastInvocation: LastInvocation | undefined;
}

const fresh = (records: readonly EventRecord[]): Unit => ({
  records,
  invokeCount: 0,
  lastInvocation: undefined,
});

/** What an invocation leaves of its unit, in order, and how that came about. */
interface Settled {
  readonly kind: 'progress' | 'bisected' | 'retry';
  readonly units: readonly Unit[];
}

/**
 * Delivers a batch until each of its records is finished or given up, in order, as Lambda does:
 *
 * - an answer that names failed items finishes what lies before the first of them; the rest is a new batch with all its
 *   retries (recorded: six records, batch 3, the last failing, 3 retries: given up as a batch of 1 after 4 invocations);
 * - an answer that finishes nothing uses up a retry; `retryAttemptsMax` 2 means 3 invocations;
 * - a failed invocation splits its batch in two, each half with all its retries, down to single records, where
 *   `bisectBatchOnFunctionError` says so; otherwise it uses up a retry;
 * - a function that could not be invoked uses up nothing ("Before invocation", developer guide, read 2026-11);
 * - records that have grown too old are given up before each invocation.
 *
 * Resolves to true when all is finished, to false when `stop` came first.
 */
export async function deliverBatch(records: readonly EventRecord[], ports: DeliveryPorts): Promise<boolean> {
  let units: readonly Unit[] = records.length === 0 ? [] : [fresh(records)];
  let unavailable = 0;
  let bisections = 0;
  for (let [unit, ...rest] = units; unit !== undefined; [unit, ...rest] = units) {
    if (ports.stop.aborted) return false;
    const { old, young } = splitByAge(unit.records, ports);
    if (old.length > 0) {
      if (!(await giveUp({ ...unit, records: old }, 'RecordAgeExceeded', ports))) return false;
      units = young.length === 0 ? rest : [{ ...unit, records: young }, ...rest];
      continue;
    }
    const outcome = await ports.invoke(eventJson(unit.records));
    ports.observe({ kind: 'invoked', records: unit.records.length, outcome: outcome.kind });
    if (outcome.kind === 'unavailable') {
      await pause(unavailable, UNAVAILABLE_BACKOFF, ports);
      unavailable += 1;
      continue;
    }
    unavailable = 0;
    const settled = settle(unit, outcome, ports);
    units = [...settled.units, ...rest];
    bisections = settled.kind === 'bisected' ? bisections + 1 : 0;
    if (settled.kind === 'bisected') await pause(bisections - 1, BISECT_BACKOFF, ports);
    if (settled.kind !== 'retry') continue;
    const [again] = settled.units;
    if (again === undefined) continue;
    if (isExhausted(again, ports.rules)) {
      if (!(await giveUp(again, 'RetryAttemptsExhausted', ports))) return false;
      units = rest;
    } else {
      ports.observe({ kind: 'retry' });
      await pause(again.invokeCount - 1, INVOKE_BACKOFF, ports);
    }
  }
  return true;
}

function settle(
  unit: Unit,
  outcome: Exclude<InvokeOutcome, { kind: 'unavailable' }>,
  { rules, finished, observe }: DeliveryPorts,
): Settled {
  const { records } = unit;
  const functionError = outcome.kind === 'function-error';
  const retry: Unit = {
    records,
    invokeCount: unit.invokeCount + 1,
    lastInvocation: { requestId: outcome.requestId, functionError },
  };
  if (functionError) {
    if (!rules.bisectBatchOnFunctionError || records.length === 1) return { kind: 'retry', units: [retry] };
    observe({ kind: 'bisected' });
    const middle = Math.ceil(records.length / 2);
    return { kind: 'bisected', units: [fresh(records.slice(0, middle)), fresh(records.slice(middle))] };
  }
  const verdict: BatchVerdict = rules.reportBatchItemFailures
    ? batchVerdict(outcome.payload, records)
    : { kind: 'success' };
  if (verdict.kind === 'success') {
    finished(records);
    return { kind: 'progress', units: [] };
  }
  if (verdict.kind === 'failure' || verdict.index === 0) return { kind: 'retry', units: [retry] };
  observe({ kind: 'partial' });
  finished(records.slice(0, verdict.index));
  return { kind: 'progress', units: [fresh(records.slice(verdict.index))] };
}

function isExhausted(unit: Unit, rules: Rules): boolean {
  return rules.retryAttemptsMax >= 0 && unit.invokeCount > rules.retryAttemptsMax;
}

/** Records at the front that are too old, and the rest. Arrival rises within a shard, give or take a clock. */
function splitByAge(records: readonly EventRecord[], { rules, clock }: DeliveryPorts) {
  if (rules.recordAgeSecondsMax < 0) return { old: [], young: records };
  const oldestArrival = clock.now() / 1_000 - rules.recordAgeSecondsMax;
  const first = records.findIndex(({ record }) => record.approximateArrivalTimestamp >= oldestArrival);
  const oldCount = first === -1 ? records.length : first;
  return { old: records.slice(0, oldCount), young: records.slice(oldCount) };
}

async function giveUp(unit: Unit, condition: DiscardCondition, ports: DeliveryPorts): Promise<boolean> {
  const kept = await ports.discard({ ...unit, condition });
  if (!kept) return false;
  ports.observe({ kind: 'discarded', records: unit.records.length, condition });
  ports.finished(unit.records);
  return true;
}

/** Waits, or less when stopped. */
async function pause(attempt: number, backoff: BackoffOptions, ports: DeliveryPorts): Promise<void> {
  const { clock, random, stop } = ports;
  await clock.sleep(fullJitterMs(attempt, backoff, random), stop).catch((error: unknown) => {
    if (!stop.aborted) throw error;
  });
}
