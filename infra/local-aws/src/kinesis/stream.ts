import { type ShardId, shardId } from '@twinstream/stream-model';
import type { ReshardStep } from './reshard-step.ts';
import {
  ENDING_COUNTER,
  type ShardNumbering,
  STARTING_COUNTER,
  sequenceNumberText,
} from './sequence-numbering.ts';
import type { ShardLimiter } from './shard-limiter.ts';
import type { ShardLog } from './shard-log.ts';
import type { StreamConsumer } from './stream-consumer.ts';
import type { Tags } from './tags.ts';
import type { Wake } from './wake.ts';

export const STREAM_STATUSES = ['CREATING', 'ACTIVE', 'UPDATING', 'DELETING'] as const;
export type StreamStatus = (typeof STREAM_STATUSES)[number];
export const STREAM_MODES = ['PROVISIONED', 'ON_DEMAND'] as const;
export type StreamMode = (typeof STREAM_MODES)[number];

/** API reference, ShardLevelMetrics, without ALL (read 2026-12). */
export const SHARD_LEVEL_METRICS = [
  'IncomingBytes',
  'IncomingRecords',
  'OutgoingBytes',
  'OutgoingRecords',
  'WriteProvisionedThroughputExceeded',
  'ReadProvisionedThroughputExceeded',
  'IteratorAgeMilliseconds',
] as const;

const HOUR_MS = 3_600_000;

export interface Shard {
  readonly index: number;
  readonly id: ShardId;
  readonly numbering: ShardNumbering;
  /** When it opened, in ms; always above its parents'. */
  readonly startMs: number;
  /** First and last hash key, as hash-key-text.ts writes them. */
  readonly hashStart: string;
  readonly hashEnd: string;
  readonly parentIndex: number | undefined;
  readonly adjacentParentIndex: number | undefined;
  /** When a split or merge closed it, in ms. */
  readonly closedMs: number | undefined;
  readonly log: ShardLog;
  readonly limiter: ShardLimiter;
  /** Notified when records came, and when the shard was closed or deleted. */
  readonly changed: Wake;
}

export interface Stream {
  readonly name: string;
  /** With the name, the stream's identity: a stream deleted and created again is another. */
  readonly createdMs: number;
  readonly mode: StreamMode;
  readonly recordBytesMax: number;
  readonly status: StreamStatus;
  readonly retentionHours: number;
  /** Records before it are gone, even if the retention grew since. */
  readonly trimmedBeforeMs: number;
  readonly nextShardIndex: number;
  /** What an UPDATING stream becomes when it is ACTIVE again; empty otherwise. */
  readonly pendingSteps: readonly ReshardStep[];
  readonly tags: Tags;
  /** Its resource policy, a JSON document. */
  readonly policy?: string | undefined;
  /** The KMS key by which the stream says that it is encrypted. */
  readonly encryptionKeyId?: string | undefined;
  readonly shardLevelMetrics: readonly (typeof SHARD_LEVEL_METRICS)[number][];
  readonly warmThroughputMiBps?: number | undefined;
  /** Registered for enhanced fan-out, in the order of their registration. */
  readonly consumers: readonly StreamConsumer[];
  /** Open and closed shards within the retention, in order of their index. */
  readonly shards: readonly Shard[];
  /** The open ones in order of their hash keys, which they cover without a gap. */
  readonly open: readonly Shard[];
}

const SHARD_ID_DIGITS = 12;

export function shardIdOf(index: number): ShardId {
  return shardId(`shardId-${String(index).padStart(SHARD_ID_DIGITS, '0')}`);
}

/** Records that arrived before this have expired. */
export function horizonMs(stream: Stream, nowMs: number): number {
  return Math.max(stream.trimmedBeforeMs, nowMs - stream.retentionHours * HOUR_MS);
}

export function openShards(shards: readonly Shard[]): readonly Shard[] {
  return shards
    .filter(({ closedMs }) => closedMs === undefined)
    .sort((a, b) => (a.hashStart < b.hashStart ? -1 : 1));
}

/** The open shard that takes a hash key. */
export function shardOfHashKey({ open }: Stream, hashKey: string): Shard {
  let low = 0;
  let high = open.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    const shard = open[middle];
    if (shard !== undefined && shard.hashStart <= hashKey) low = middle;
    else high = middle - 1;
  }
  const shard = open[low];
  if (shard === undefined) throw new RangeError('the stream has no open shard');
  return shard;
}

export function childrenOf(stream: Stream, { index }: Shard): readonly Shard[] {
  return stream.shards.filter((child) => child.parentIndex === index || child.adjacentParentIndex === index);
}

export function startingSequenceNumber(shard: Shard): string {
  return sequenceNumberText(shard.numbering, STARTING_COUNTER, shard.startMs);
}

/** Undefined while the shard is open. */
export function endingSequenceNumber(shard: Shard): string | undefined {
  return shard.closedMs === undefined
    ? undefined
    : sequenceNumberText(shard.numbering, ENDING_COUNTER, shard.closedMs);
}
