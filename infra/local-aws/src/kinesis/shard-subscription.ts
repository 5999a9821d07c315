import { GET_RECORDS_RECORDS_MAX, SHARD_OUT_BYTES_PER_SECOND } from '@twinstream/stream-model';
import { ApiError, shardNotFound, streamNotFound } from './api-error.ts';
import type { LogSlice } from './log-slice.ts';
import type { KinesisService } from './operation.ts';
import { shrinkToFit } from './segment-memory.ts';
import { sequenceNumberText } from './sequence-numbering.ts';
import { childShardMembers } from './shard-members.ts';
import { childrenOf, horizonMs, type Shard, type Stream, shardIdOf } from './stream.ts';
import type { SubscriptionEvent } from './subscription-event.ts';
import { fullBucket, owes, refill, type TokenBucket, take } from './token-bucket.ts';
import type { RecordsAnswer } from './wire-format.ts';

/** API reference, SubscribeToShard: a subscription lasts up to 5 minutes (read 2026-12). */
const SUBSCRIPTION_MS = 300_000;
/** How often a shard without records says that it has none. The KCL gives up a subscription that is silent for 35 s (3.x). */
const HEARTBEAT_MS = 5_000;

export interface SubscribedShard {
  readonly streamName: string;
  readonly streamCreatedMs: number;
  readonly shardIndex: number;
  /** The lowest counter that is to be read. */
  readonly position: number;
}

/**
 * What a subscription sends: records as they arrive, an event without records immediately and at least every 5 s, and the children
 * of the shard where it ends. It ends after 5 minutes, at the end of the shard, or when `stop` aborts; then, if the reason
 * is an ApiError, with that.
 */
export async function* shardEvents(
  service: KinesisService,
  from: SubscribedShard,
  stop: AbortSignal,
): AsyncGenerator<SubscriptionEvent, void> {
  const { clock } = service;
  const endMs = clock.now() + SUBSCRIPTION_MS;
  const allowance = fullBucket(SHARD_OUT_BYTES_PER_SECOND, clock.now());
  let position = from.position;
  let heartbeatMs = clock.now();
  for (;;) {
    if (stop.aborted) {
      if (stop.reason instanceof ApiError) yield { kind: 'refusal', error: stop.reason };
      return;
    }
    const nowMs = clock.now();
    if (nowMs >= endMs) return;
    const place = placeOf(service, from);
    if (place instanceof ApiError) {
      yield { kind: 'refusal', error: place };
      return;
    }
    const { stream, shard } = place;
    const owedMs = service.limitsEnforced ? msOwed(allowance, nowMs) : 0;
    if (owedMs > 0) {
      await clock.sleep(Math.min(owedMs, endMs - nowMs), stop).catch(() => undefined);
      continue;
    }
    const slice = readShard(service, stream, shard, position);
    const isDrained = slice.atEnd && shard.closedMs !== undefined;
    if (slice.records === 0 && !isDrained && nowMs < heartbeatMs) {
      await shard.changed.wait(stop, Math.min(heartbeatMs, endMs) - nowMs);
      continue;
    }
    take(allowance, slice.bytes);
    position = slice.next;
    heartbeatMs = nowMs + HEARTBEAT_MS;
    yield { kind: 'records', records: eventOf(stream, shard, slice, { nowMs, isDrained }) };
    if (isDrained) return;
  }
}

/** The shard as it is now: a split or merge replaces it by one that is closed. */
function placeOf(
  service: KinesisService,
  from: SubscribedShard,
): { stream: Stream; shard: Shard } | ApiError {
  const stream = service.store.find(from.streamName);
  if (!stream || stream.createdMs !== from.streamCreatedMs) {
    return streamNotFound(from.streamName, service.accountId);
  }
  const shard = stream.shards.find(({ index }) => index === from.shardIndex);
  return shard
    ? { stream, shard }
    : shardNotFound(shardIdOf(from.shardIndex), stream.name, service.accountId);
}

function msOwed(allowance: TokenBucket, nowMs: number): number {
  refill(allowance, nowMs);
  return owes(allowance) ? Math.ceil(-allowance.thousandths / allowance.perSecond) : 0;
}

function readShard({ store, counters, clock }: KinesisService, stream: Stream, shard: Shard, from: number) {
  const slice = shard.log.read(from, {
    recordsMax: GET_RECORDS_RECORDS_MAX,
    bytesMax: SHARD_OUT_BYTES_PER_SECOND,
    horizonMs: horizonMs(stream, clock.now()),
  });
  counters.recordsRead += slice.records;
  counters.bytesRead += slice.bytes;
  shrinkToFit(store.memory);
  return slice;
}

function eventOf(
  stream: Stream,
  shard: Shard,
  slice: LogSlice,
  { nowMs, isDrained }: { readonly nowMs: number; readonly isDrained: boolean },
): RecordsAnswer {
  const readMs = slice.lastArrivalMs ?? nowMs;
  return {
    runs: slice.runs,
    numbering: shard.numbering,
    rest: {
      // Of the last record, or just before the next where there was none: reading goes on after it.
      ContinuationSequenceNumber: isDrained
        ? undefined
        : sequenceNumberText(shard.numbering, Math.max(0, slice.next - 1), readMs),
      MillisBehindLatest: slice.atEnd ? 0 : Math.max(0, nowMs - readMs),
      ChildShards: isDrained ? childrenOf(stream, shard).map(childShardMembers) : undefined,
    },
  };
}
