import {
  type ArrivedEvent,
  type DecodedEntry,
  type DeviceEvent,
  type DeviceId,
  decodeEvent,
  type EntryDecoder,
  type EntryEvent,
  entryOfPlace,
  ownFormatDecoder,
} from '@twinstream/device-model';
import { addInOrder, type DeviceBatch } from '@twinstream/projection';
import type { RedrivenEvent } from '@twinstream/quarantine';
import {
  compareWithinShard,
  openRecord,
  type Position,
  positionKey,
  type ShardId,
  type ShardPosition,
  type StreamRecord,
} from '@twinstream/stream-model';
import type { ShardCounts } from './replay-job.ts';

/** Bytes that should be one event, or several by a mapping, with their place in the stream, whichever source they come from. */
export interface ReplayEntry extends Position {
  /** Milliseconds since 1970. */
  readonly arrivalTime: number;
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

/** Entries of one shard, positions rising, that are applied together. */
export interface ReplayBatch {
  readonly shardId: ShardId;
  readonly entries: readonly ReplayEntry[];
  /** Everything of the shard at or below it was in this batch or before; undefined where nothing more can be said. */
  readonly through?: ShardPosition | undefined;
  /** True where the shard has no more in this window. */
  readonly isLast?: boolean;
}

export function entriesOf(shardId: ShardId, record: StreamRecord): ReplayEntry[] {
  const { sequenceNumber, arrivalTime } = record;
  return openRecord(record).entries.map(({ subSequenceNumber, partitionKey, data }) => ({
    shardId,
    sequenceNumber,
    subSequenceNumber,
    arrivalTime,
    partitionKey,
    data,
  }));
}

/** Above every position of the record of this sequence number. */
export function endOfRecord({ sequenceNumber }: Pick<StreamRecord, 'sequenceNumber'>): ShardPosition {
  return { sequenceNumber, subSequenceNumber: Number.MAX_SAFE_INTEGER };
}

export function isAfter(place: ShardPosition, through: ShardPosition | undefined): boolean {
  return through === undefined || compareWithinShard(place, through) > 0;
}

/** What operators made of entries in quarantine, by the position of the entry. */
export type Redriven = ReadonlyMap<string, readonly RedrivenEvent[]>;

/** The key of the entry in which a position lies. */
export function redrivenKey({ shardId, sequenceNumber, subSequenceNumber }: Position): string {
  return positionKey({ shardId, sequenceNumber, subSequenceNumber: entryOfPlace(subSequenceNumber) });
}

export interface DecodeOptions {
  /** As the live projector decodes, or with another version of its mapping. Default: events of this project's own format. */
  readonly decoder?: EntryDecoder | undefined;
  /** These alone; all where absent. */
  readonly devices?: ReadonlySet<DeviceId> | undefined;
  readonly redriven: Redriven;
  /** Whether a correction that names its target was refused as ahead of its device. */
  readonly isRefused: (entry: ReplayEntry, event: DeviceEvent) => Promise<boolean>;
}

/** An event of an entry. */
export interface ReplayedEvent {
  readonly entry: ReplayEntry;
  readonly arrived: ArrivedEvent;
  /** True for what was redriven from quarantine. */
  readonly isRedriven: boolean;
}

/** Decodes the entries of a batch, and counts invalid records, refused events, and those of other devices. */
export async function* decodeEntries(
  { entries }: ReplayBatch,
  { decoder = ownFormatDecoder, devices, redriven, isRefused }: DecodeOptions,
  counts: ShardCounts,
): AsyncGenerator<ReplayedEvent> {
  for (const entry of entries) {
    counts.read += 1;
    counts.bytes += entry.data.length;
    const { events, isRejected, ignored } = withRedriven(
      decoder.decode(entry, entry.arrivalTime),
      redriven.size === 0 ? undefined : redriven.get(redrivenKey(entry)),
    );
    if (isRejected) counts.quarantined += 1;
    counts.skipped += ignored;
    const { sequenceNumber, arrivalTime } = entry;
    for (const { subSequenceNumber, decoded, isRedriven = false } of events) {
      const { deviceId, correction } = decoded.event;
      if (!isRedriven && correction?.corrects !== undefined && (await isRefused(entry, decoded.event))) {
        counts.quarantined += 1;
      } else if (devices !== undefined && !devices.has(deviceId)) counts.skipped += 1;
      else {
        const place = { sequenceNumber, subSequenceNumber };
        yield { entry, arrived: { place, arrivalTime, ...decoded }, isRedriven };
      }
    }
  }
}

/** The events of an entry, those that were redriven in their places. */
function withRedriven(
  { events, rejection, ignored }: DecodedEntry,
  repaired: readonly RedrivenEvent[] | undefined,
): {
  readonly events: readonly (EntryEvent & { readonly isRedriven?: boolean })[];
  readonly isRejected: boolean;
  readonly ignored: number;
} {
  if (repaired === undefined) return { events, isRejected: rejection !== undefined, ignored };
  const redriven = repaired.flatMap(({ subSequenceNumber, text, sourceCounter }) => {
    const decoded = decodeEvent(Buffer.from(text));
    if ('rejected' in decoded) return [];
    const source = sourceCounter === undefined ? {} : { sourceCounter };
    return [{ subSequenceNumber, decoded: { ...decoded, ...source }, isRedriven: true }];
  });
  const places = new Set(redriven.map(({ subSequenceNumber }) => subSequenceNumber));
  const isWhole = repaired.every(({ isPart }) => isPart !== true);
  const isRejected = isWhole
    ? redriven.length < repaired.length
    : rejection?.rejectedPlaces?.every((place) => places.has(place)) === false;
  const others = isWhole ? [] : events.filter(({ subSequenceNumber }) => !places.has(subSequenceNumber));
  const all = [...others, ...redriven].sort((a, b) => a.subSequenceNumber - b.subSequenceNumber);
  return { events: all, isRejected, ignored };
}

/** The events of a batch by device, in the order of the shard. */
export async function devicesOf(
  shardId: ReplayBatch['shardId'],
  decoded: AsyncIterable<ReplayedEvent>,
): Promise<DeviceBatch[]> {
  const devices = new Map<DeviceId, DeviceBatch & { arrived: ArrivedEvent[] }>();
  for await (const { arrived } of decoded) {
    const { deviceId } = arrived.event;
    const device = devices.get(deviceId);
    if (device !== undefined) addInOrder(device.arrived, arrived);
    else devices.set(deviceId, { deviceId, shardId, arrived: [arrived], from: arrived.place.sequenceNumber });
  }
  return [...devices.values()];
}
