import { usageError } from '@twinstream/command-line';
import { REJECTION_REASONS, type RejectionReason } from '@twinstream/device-model';
import type { FoundRecord } from '@twinstream/projection';
import type { QuarantinedRecord, QuarantineStore } from '@twinstream/quarantine';
import { pointInTimeMs, readShardId } from '../command/argument-values.ts';

/** Which records, as the command line says. */
export interface QuarantineFilter {
  /** Reasons of rejection. */
  readonly rejection?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly shard?: readonly string[];
  readonly limit?: number;
}

/** Objects that are read at the same time. */
const READS_AT_ONCE = 16;

export function isRejectionReason(text: string): boolean {
  return (REJECTION_REASONS as readonly string[]).includes(text);
}

/** Throws `INVALID_USAGE` for a rejection or a shard that does not exist. */
export function checkFilter({ rejection = [], shard = [] }: QuarantineFilter): void {
  for (const name of rejection) {
    if (!isRejectionReason(name)) {
      throw usageError(`--rejection ${name}: there is ${REJECTION_REASONS.join(', ')}`);
    }
  }
  for (const name of shard) readShardId(name);
}

/** Quarantined records by the hour of their arrival, those of the filter that hold an entry with one of its reasons. */
export async function* findQuarantined(
  store: QuarantineStore,
  filter: QuarantineFilter,
  names: readonly string[],
  nowMs: number,
  signal: AbortSignal,
): AsyncGenerator<FoundRecord> {
  checkFilter(filter);
  const from = filter.from === undefined ? undefined : pointInTimeMs(filter.from, nowMs);
  const to = filter.to === undefined ? undefined : pointInTimeMs(filter.to, nowMs);
  const { rejection, shard, limit = Number.POSITIVE_INFINITY } = filter;
  let found = 0;
  let batch: Promise<FoundRecord | undefined>[] = [];
  const wanted = function* (records: readonly (FoundRecord | undefined)[]): Generator<FoundRecord> {
    for (const one of records) {
      if (one === undefined || found >= limit || !admits(one.record, rejection, from, to)) continue;
      found += 1;
      yield one;
    }
  };
  const query = { signal, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  for await (const { key, shardId, sequenceNumber } of store.list(query)) {
    if (shard !== undefined && !shard.includes(shardId)) continue;
    if (names.length > 0 && !names.includes(key) && !names.includes(`${shardId}:${sequenceNumber}`)) continue;
    const reading = store
      .read(key, signal)
      .then((record) => (record === undefined ? undefined : { key, record }));
    reading.catch(() => undefined);
    batch.push(reading);
    if (batch.length < READS_AT_ONCE) continue;
    yield* wanted(await Promise.all(batch));
    batch = [];
    if (found >= limit) return;
  }
  yield* wanted(await Promise.all(batch));
}

function admits(
  { arrivalTime, entries }: QuarantinedRecord,
  reasons: readonly string[] | undefined,
  from: number | undefined,
  to: number | undefined,
): boolean {
  if (from !== undefined && arrivalTime < from) return false;
  if (to !== undefined && arrivalTime >= to) return false;
  return (
    reasons === undefined ||
    entries.some(({ reason }: { reason: RejectionReason }) => reasons.includes(reason))
  );
}
