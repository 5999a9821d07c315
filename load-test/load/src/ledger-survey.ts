import { open } from 'node:fs/promises';
import { type LedgerEntry, readLedger } from '@twinstream/device-simulator';
import { sortableSequenceNumber } from '@twinstream/stream-model';
import { type LatencyDistribution, latencyDistribution, type Percentiles } from './latency-distribution.ts';
import { finishedAtMs, type Observation, type ProgressObservation, readableAtMs } from './observers.ts';
import type { SampledDevices } from './sampled-devices.ts';

/** What was seen of the pipeline while the ledger was written. */
export interface Sightings {
  readonly sampled: SampledDevices;
  readonly states: ReadonlyMap<string, readonly Observation[]>;
  /** By shard; without it nothing can be said of all events. */
  readonly progress?: ReadonlyMap<string, readonly ProgressObservation[]>;
}

/** What a ledger, beside what was seen, says of a run. */
export interface LedgerSurvey {
  /** Valid events that the stream took. */
  readonly events: number;
  readonly malformed: number;
  readonly failed: number;
  readonly dropped: number;
  readonly firstDueMs: number;
  readonly lastDueMs: number;
  readonly lastAcknowledgedMs: number;
  /** Counts by second since 1970. */
  readonly dueBySecond: ReadonlyMap<number, number>;
  readonly acknowledgedBySecond: ReadonlyMap<number, number>;
  /** By shard, the highest place that was acknowledged, as sortable text. */
  readonly lastByShard: ReadonlyMap<string, string>;
  readonly acknowledged: Percentiles | undefined;
  readonly readable: Percentiles | undefined;
  readonly readableBySecond: ReadonlyMap<number, Percentiles>;
  readonly sampledEvents: number;
  /** Events of sampled devices whose state was never seen to hold them. */
  readonly neverReadable: number;
  readonly finished: Percentiles | undefined;
  /** Events that shard progress was never seen to pass. */
  readonly neverFinished: number;
}

/** One pass over a ledger, in memory that grows with the sampled events alone. */
export async function surveyLedger(file: string, sightings: Sightings): Promise<LedgerSurvey> {
  const hot = new Set(sightings.sampled.hot);
  const others = new Set(sightings.sampled.others);
  const dueBySecond = new Map<number, number>();
  const acknowledgedBySecond = new Map<number, number>();
  const lastByShard = new Map<string, string>();
  const acknowledged = latencyDistribution();
  const finished = latencyDistribution();
  const samples: Sample[] = [];
  const counts = { events: 0, malformed: 0, failed: 0, dropped: 0, neverReadable: 0, neverFinished: 0 };
  let [firstDueMs, lastDueMs, lastAcknowledgedMs] = [Number.POSITIVE_INFINITY, 0, 0];
  let otherEvents = 0;
  for await (const entry of readLedger(file)) {
    const { dueAtMs, deviceId } = entry;
    firstDueMs = Math.min(firstDueMs, dueAtMs);
    lastDueMs = Math.max(lastDueMs, dueAtMs);
    count(dueBySecond, dueAtMs);
    if (entry.result === 'failed') counts.failed += 1;
    if (entry.result === 'dropped') counts.dropped += 1;
    if (!isAcknowledged(entry)) continue;
    const { acknowledgedAtMs, position } = entry;
    lastAcknowledgedMs = Math.max(lastAcknowledgedMs, acknowledgedAtMs);
    count(acknowledgedBySecond, acknowledgedAtMs);
    acknowledged.record(acknowledgedAtMs - dueAtMs);
    const place = sortableSequenceNumber(position.sequenceNumber);
    if (place > (lastByShard.get(position.shardId) ?? '')) lastByShard.set(position.shardId, place);
    if (entry.rejection !== undefined) {
      counts.malformed += 1;
      continue;
    }
    counts.events += 1;
    if (sightings.progress !== undefined) {
      const atMs = finishedAtMs(sightings.progress.get(position.shardId) ?? [], place);
      if (atMs === undefined) counts.neverFinished += 1;
      else finished.record(atMs - dueAtMs);
    }
    const isHot = hot.has(deviceId);
    if (!isHot) otherEvents += 1;
    if (!isHot && !others.has(deviceId)) continue;
    const { session = -1, counter = -1 } = entry;
    const atMs = readableAtMs(sightings.states.get(deviceId) ?? [], session, counter);
    if (atMs === undefined) counts.neverReadable += 1;
    else samples.push({ isHot, dueAtMs, latencyMs: atMs - dueAtMs });
  }
  return {
    ...counts,
    firstDueMs: Number.isFinite(firstDueMs) ? firstDueMs : 0,
    lastDueMs,
    lastAcknowledgedMs,
    dueBySecond,
    acknowledgedBySecond,
    lastByShard,
    acknowledged: acknowledged.percentiles(),
    finished: finished.percentiles(),
    sampledEvents: samples.length,
    ...readableLatencies(samples, otherEvents),
  };
}

interface Sample {
  readonly isHot: boolean;
  readonly dueAtMs: number;
  readonly latencyMs: number;
}

/** Each sampled event of the others stands for as many of theirs as were not sampled, so that every event counts alike. */
function readableLatencies(samples: readonly Sample[], otherEvents: number) {
  const sampledOthers = samples.reduce((sum, { isHot }) => sum + (isHot ? 0 : 1), 0);
  const weight = sampledOthers === 0 ? 1 : otherEvents / sampledOthers;
  const all = latencyDistribution();
  const bySecond = new Map<number, LatencyDistribution>();
  for (const { isHot, dueAtMs, latencyMs } of samples) {
    const second = Math.floor(dueAtMs / 1_000);
    const distribution = bySecond.get(second) ?? latencyDistribution();
    bySecond.set(second, distribution);
    for (const each of [all, distribution]) each.record(latencyMs, isHot ? 1 : weight);
  }
  const readableBySecond = new Map<number, Percentiles>();
  for (const [second, distribution] of bySecond) {
    const percentiles = distribution.percentiles();
    if (percentiles !== undefined) readableBySecond.set(second, percentiles);
  }
  return { readable: all.percentiles(), readableBySecond };
}

type AcknowledgedEntry = LedgerEntry & Required<Pick<LedgerEntry, 'acknowledgedAtMs' | 'position'>>;

function isAcknowledged(entry: LedgerEntry): entry is AcknowledgedEntry {
  return (
    entry.result === 'acknowledged' && entry.acknowledgedAtMs !== undefined && entry.position !== undefined
  );
}

function count(bySecond: Map<number, number>, atMs: number): void {
  const second = Math.floor(atMs / 1_000);
  bySecond.set(second, (bySecond.get(second) ?? 0) + 1);
}

/** Enough of a ledger's end to hold several records of every shard. */
const TAIL_BYTES = 4 * 1024 * 1024;

/**
 * By shard, the highest place in the last 4 MiB of a ledger: about where the stream ended, at the price of a short read.
 * The pass over the whole ledger, which would keep a processor busy that the pipeline needs, comes after the drain.
 */
export async function lastPlaces(file: string): Promise<ReadonlyMap<string, string>> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString('utf8').split('\n');
    // The first line is whole only where the tail is the file.
    return highestByShard(size > length ? lines.slice(1) : lines);
  } finally {
    await handle.close();
  }
}

function highestByShard(lines: readonly string[]): ReadonlyMap<string, string> {
  const highest = new Map<string, string>();
  for (const line of lines) {
    if (line === '') continue;
    const { position }: LedgerEntry = JSON.parse(line);
    if (position === undefined) continue;
    const place = sortableSequenceNumber(position.sequenceNumber);
    if (place > (highest.get(position.shardId) ?? '')) highest.set(position.shardId, place);
  }
  return highest;
}
