import {
  contains,
  decodeRecord,
  hashKey,
  type Position,
  positionKey,
  type Shard,
  type ShardId,
} from '@twinstream/stream-model';

/** A stream as it is stored, for an audit: events whose data begin with what {@link eventText} gives. */
export interface StreamContent {
  /** Open and closed ones, with their parents. */
  readonly shards: readonly Shard[];
  /** The records of each shard in the order of their sequence numbers. */
  readonly records: Iterable<StreamRecord>;
}

export interface StreamRecord {
  readonly shardId: ShardId;
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

/** What is wrong with a stream, in words; nothing when all is right. */
export interface StreamAudit {
  readonly lost: readonly string[];
  readonly outOfOrder: readonly string[];
  /** Two outer partition keys for one device in one shard, records that cannot be read, events under a foreign key. */
  readonly otherFaults: readonly string[];
  /** Events in the stream, counting each copy. */
  readonly copyCount: number;
  readonly distinctCount: number;
}

/** What an audit says of a stream that is all right, besides its counts. */
export const CLEAN = { lost: [], outOfOrder: [], otherFaults: [] } as const;

/** One copy of an event in the stream. */
interface Copy {
  readonly shardId: ShardId;
  /** Place in its shard. */
  readonly at: number;
  readonly outerKey: string;
  readonly key: string;
}

/** Name of a device's event: its numbers rise from 0 in the order of put. A blank ends it where more data follow. */
export function eventText(device: string, number: number): string {
  return `${device}#${number}`;
}

/** The name at the beginning of an event's data. */
export function eventTextOf(data: Uint8Array): string {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
  const end = text.indexOf(' ');
  return end < 0 ? text : text.slice(0, end);
}

/**
 * Checks a stream against what was put: the number of events of each device.
 *
 * - Each event is there.
 * - Order, as any consumer sees it that reads a shard after its parents: before each copy of an event there is, in the same
 *   shard or an ancestor, a copy of the event that was put before it.
 * - Within a shard all records that carry a device have one outer partition key.
 */
export function auditStream(content: StreamContent, counts: ReadonlyMap<string, number>): StreamAudit {
  const otherFaults: string[] = [];
  const copies = copiesOf(content.records, otherFaults);
  const shards = new Map(content.shards.map((shard) => [shard.shardId, shard]));
  const lost: string[] = [];
  const outOfOrder: string[] = [];
  for (const [device, count] of counts) {
    for (let number = 0; number < count; number += 1) {
      const text = eventText(device, number);
      const own = copies.get(text);
      if (own === undefined) lost.push(text);
      if (number === 0) continue;
      const before = copies.get(eventText(device, number - 1)) ?? [];
      for (const copy of own ?? []) {
        if (before.some((earlier) => isSeenBefore(earlier, copy, shards))) continue;
        outOfOrder.push(`${text} in ${copy.shardId} comes before ${number - 1}`);
      }
    }
  }
  otherFaults.push(...outerKeyFaults(copies));
  const copyCount = [...copies.values()].reduce((sum, list) => sum + list.length, 0);
  return { lost, outOfOrder, otherFaults, copyCount, distinctCount: copies.size };
}

/** Texts of all events in the stream. */
export function eventsIn(records: Iterable<StreamRecord>): ReadonlySet<string> {
  return new Set(copiesOf(records, []).keys());
}

/** The events that a record carries. */
function entriesOf({ partitionKey, data }: Pick<StreamRecord, 'partitionKey' | 'data'>) {
  const decoded = decodeRecord(data);
  return decoded.status === 'aggregated' ? decoded.records : [{ partitionKey, data }];
}

function copiesOf(records: Iterable<StreamRecord>, faults: string[]): Map<string, Copy[]> {
  const copies = new Map<string, Copy[]>();
  let at = 0;
  for (const record of records) {
    if (decodeRecord(record.data).status === 'damaged') faults.push(`${record.sequenceNumber} is damaged`);
    for (const entry of entriesOf(record)) {
      const text = eventTextOf(entry.data);
      if (!text.startsWith(`${entry.partitionKey}#`)) faults.push(`${text} under ${entry.partitionKey}`);
      const list = copies.get(text) ?? [];
      copies.set(text, list);
      list.push({ shardId: record.shardId, at, outerKey: record.partitionKey, key: entry.partitionKey });
      at += 1;
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
    for (const { shardId, key, outerKey } of list) {
      const place = `${shardId} ${key}`;
      const known = outerKeys.get(place) ?? outerKey;
      outerKeys.set(place, known);
      if (known !== outerKey) faults.push(`${place} travels under ${known} and ${outerKey}`);
    }
  }
  return faults;
}

/** One acknowledgement: what was put, and where it is said to be. */
export interface Acknowledgement {
  readonly record: { readonly partitionKey: string; readonly data: Uint8Array };
  readonly position: Position;
}

/** Checks that acknowledgements tell the truth: the event is at its position, in the shard that holds its hash key. */
export function auditAcknowledgements(
  content: StreamContent,
  acknowledged: Iterable<Acknowledgement>,
): readonly string[] {
  const faults: string[] = [];
  const shards = new Map(content.shards.map((shard) => [shard.shardId, shard]));
  const records = new Map([...content.records].map((record) => [placeOf(record), record]));
  const seen = new Set<string>();
  for (const { record, position } of acknowledged) {
    const text = eventTextOf(record.data);
    const stored = records.get(placeOf(position));
    const entry = stored === undefined ? undefined : entriesOf(stored)[position.subSequenceNumber];
    if (entry === undefined || eventTextOf(entry.data) !== text)
      faults.push(`${text} is not at its position`);
    const shard = shards.get(position.shardId);
    if (shard === undefined || !contains(shard.hashKeyRange, hashKey(record.partitionKey))) {
      faults.push(`${text} is acknowledged in ${position.shardId}, where it does not belong`);
    }
    if (seen.has(positionKey(position))) faults.push(`two events at ${positionKey(position)}`);
    seen.add(positionKey(position));
  }
  return faults;
}

const placeOf = ({ shardId, sequenceNumber }: { shardId: string; sequenceNumber: string }): string =>
  `${shardId}:${sequenceNumber}`;
