import {
  contains,
  decodeRecord,
  hashKey,
  positionKey,
  type Shard,
  type ShardId,
} from '@twinstream/stream-model';
import type { AcknowledgedRecord } from '../src/index.ts';
import type { KinesisStub } from './kinesis-stub.ts';

/** One copy of an event in the stream. */
interface Copy {
  readonly shardId: ShardId;
  /** Place in the order of arrival of the whole stream. */
  readonly at: number;
  readonly outerKey: string;
  readonly isAggregated: boolean;
  readonly key: string;
}

/** Texts of all events in the stream. */
export function eventsIn(stub: KinesisStub): ReadonlySet<string> {
  return new Set(copiesOf(stub, []).keys());
}

/** What is wrong with a stream, in words; nothing when all is right. */
export interface Audit {
  readonly faults: readonly string[];
  readonly copies: number;
  readonly distinct: number;
}

/** Events of the test are `device#number`, the numbers of a device rising from 0 in the order of put. */
export function eventText(device: string, number: number): string {
  return `${device}#${number}`;
}

/**
 * Checks a stream against what was put.
 *
 * - Each of the `counts` events of a device is there.
 * - Order, as any consumer sees it that reads a shard after its parents: before each copy of an event there is, in the same
 *   shard or an ancestor, a copy of the event that was put before it.
 * - Within a shard all aggregated records that carry a device have one outer partition key.
 */
export function auditStream(stub: KinesisStub, counts: ReadonlyMap<string, number>): Audit {
  const faults: string[] = [];
  const copies = copiesOf(stub, faults);
  const shards = new Map(stub.shards.map((shard) => [shard.shardId, shard]));
  let copyCount = 0;
  for (const list of copies.values()) copyCount += list.length;
  for (const [device, count] of counts) {
    for (let number = 0; number < count; number += 1) {
      const own = copies.get(eventText(device, number));
      if (own === undefined) faults.push(`${eventText(device, number)} is lost`);
      const before = copies.get(eventText(device, number - 1)) ?? [];
      if (number === 0) continue;
      for (const copy of own ?? []) {
        if (!before.some((earlier) => isSeenBefore(earlier, copy, shards))) {
          faults.push(`${eventText(device, number)} in ${copy.shardId} comes before ${number - 1}`);
        }
      }
    }
  }
  return { faults: [...faults, ...outerKeyFaults(copies)], copies: copyCount, distinct: copies.size };
}

function copiesOf(stub: KinesisStub, faults: string[]): Map<string, Copy[]> {
  const copies = new Map<string, Copy[]>();
  for (const [index, { shardId, record }] of stub.stored.entries()) {
    const decoded = decodeRecord(record.data);
    if (decoded.status === 'damaged') faults.push(`record ${index} is damaged: ${decoded.reason}`);
    const entries =
      decoded.status === 'aggregated'
        ? decoded.records
        : [{ partitionKey: record.partitionKey, data: record.data }];
    for (const [sub, entry] of entries.entries()) {
      const text = Buffer.from(entry.data).toString();
      if (!text.startsWith(`${entry.partitionKey}#`)) faults.push(`${text} under ${entry.partitionKey}`);
      const list = copies.get(text) ?? [];
      copies.set(text, list);
      list.push({
        shardId,
        at: index + sub / 1_000_000,
        outerKey: record.partitionKey,
        isAggregated: decoded.status === 'aggregated',
        key: entry.partitionKey,
      });
    }
  }
  return copies;
}

function isSeenBefore(earlier: Copy, copy: Copy, shards: ReadonlyMap<ShardId, Shard>): boolean {
  if (earlier.shardId === copy.shardId) return earlier.at < copy.at;
  const { parentShardId, adjacentParentShardId } = shards.get(copy.shardId) ?? {};
  return [parentShardId, adjacentParentShardId].some(
    (parent) =>
      parent !== undefined &&
      isSeenBefore(earlier, { ...copy, shardId: parent, at: Number.POSITIVE_INFINITY }, shards),
  );
}

function outerKeyFaults(copies: ReadonlyMap<string, readonly Copy[]>): string[] {
  const outerKeys = new Map<string, string>();
  const faults: string[] = [];
  for (const list of copies.values()) {
    for (const copy of list) {
      const key = `${copy.shardId} ${copy.key}`;
      const known = outerKeys.get(key) ?? copy.outerKey;
      outerKeys.set(key, known);
      if (known !== copy.outerKey) faults.push(`${key} travels under ${known} and ${copy.outerKey}`);
    }
  }
  return faults;
}

/** Checks that acknowledgements tell the truth: the event is at its position, in the shard that holds its hash key. */
export function auditAcknowledgements(
  stub: KinesisStub,
  acknowledged: readonly AcknowledgedRecord[],
): string[] {
  const faults: string[] = [];
  const at = new Map(stub.stored.map((stored) => [`${stored.shardId}:${stored.sequenceNumber}`, stored]));
  const seen = new Set<string>();
  for (const { record, position } of acknowledged) {
    const text = Buffer.from(record.data).toString();
    const stored = at.get(`${position.shardId}:${position.sequenceNumber}`);
    const decoded = stored === undefined ? undefined : decodeRecord(stored.record.data);
    const entry =
      decoded?.status === 'aggregated'
        ? decoded.records[position.subSequenceNumber]?.data
        : stored?.record.data;
    if (entry === undefined || Buffer.from(entry).toString() !== text)
      faults.push(`${text} is not at its position`);
    const shard = stub.shards.find(({ shardId }) => shardId === position.shardId);
    if (shard === undefined || !contains(shard.hashKeyRange, hashKey(record.partitionKey))) {
      faults.push(`${text} is acknowledged in ${position.shardId}, where it does not belong`);
    }
    if (seen.has(positionKey(position))) faults.push(`two events at ${positionKey(position)}`);
    seen.add(positionKey(position));
  }
  return faults;
}
