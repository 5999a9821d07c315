import {
  type DeviceEvent,
  decodeEvent,
  eventText,
  newDevice,
  ownFormatDecoder,
  planPage,
} from '@twinstream/device-model';
import { type EventStore, loadDeviceHistory, memoryEventStore } from '@twinstream/event-store';
import {
  memoryLatestStateTable,
  memoryShardProgressTable,
  type RepairableLatestState,
  type ShardProgressTable,
} from '@twinstream/latest-state';
import { memoryQuarantine, type ResolvableQuarantine } from '@twinstream/quarantine';
import type { Clock } from '@twinstream/runtime';
import {
  compareSequenceNumbers,
  evenRanges,
  hashKey,
  type Position,
  type SequenceNumber,
  type ShardId,
  sequenceNumber,
  shardId,
} from '@twinstream/stream-model';
import type { StreamTransport } from '@twinstream/stream-producer';
import type { ChangeFeed, HintedRecord } from '../src/fleet/change-feed.ts';
import { BEGINNING } from '../src/fleet/coverage.ts';

/** A stream, its projector and its tables in one, in memory. */
export interface MemoryPipeline {
  readonly streamName: string;
  readonly events: EventStore;
  readonly states: RepairableLatestState;
  readonly progress: ShardProgressTable;
  readonly quarantine: ResolvableQuarantine;
  readonly shardIds: readonly ShardId[];
  /** Puts one event as if it had arrived at that time (milliseconds since 1970), stores and folds it, and finishes it. */
  put(event: DeviceEvent, arrivalTime: number, text?: string): Promise<Position>;
  /** Puts what no event is made of: it goes to quarantine, and its record is finished. Milliseconds since 1970. */
  reject(data: Uint8Array, partitionKey: string, arrivalTime: number): Promise<void>;
  /** From now on what is put stays in the stream, until the function given back is called: a projector that is paused. */
  hold(): () => Promise<void>;
  /** Records put into a shard that arrived at or after a time. */
  recordsSince(shard: ShardId, sinceMs: number): number;
  /** When the first record after this one arrived; undefined where there is none. */
  firstArrivalAfter(shard: ShardId, after: SequenceNumber | undefined): number | undefined;
  /** A reader of the stream of its own. */
  changeFeed(): ChangeFeed;
  transport(clock: Clock): Pick<StreamTransport, 'putRecords'>;
}

interface MemoryRecord extends HintedRecord {
  readonly shard: ShardId;
  readonly arrivalTime: number;
  readonly event: DeviceEvent;
  readonly text: string;
}

// A sequence number of the length that AWS gives: 56 digits.
const FIRST_SEQUENCE_NUMBER = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n;

export function memoryPipeline({ streamName = 'device-events', shardCount = 4 } = {}): MemoryPipeline {
  const events = memoryEventStore();
  const states = memoryLatestStateTable();
  const progress = memoryShardProgressTable();
  const quarantine = memoryQuarantine();
  const ranges = evenRanges(shardCount);
  const shardIds = ranges.map((_, index) => shardId(`shardId-${String(index).padStart(12, '0')}`));
  const records = new Map<ShardId, MemoryRecord[]>(shardIds.map((id) => [id, []]));
  let next = FIRST_SEQUENCE_NUMBER;
  let held: MemoryRecord[] | undefined;

  async function project({
    shard,
    sequenceNumber: number,
    arrivalTime,
    event,
    text,
  }: MemoryRecord): Promise<void> {
    // Read again each time: a redrive writes, too.
    const head = (await states.read(event.deviceId)) ?? newDevice(event.deviceId);
    const place = { sequenceNumber: number, subSequenceNumber: 0 };
    const arrived = [{ place, arrivalTime, event, text }];
    let plan = planPage(head, shard, arrived);
    if (plan.kind === 'history-needed') {
      const history = await loadDeviceHistory(events, head, { shardId: shard, arrived });
      plan = planPage(head, shard, arrived, { history });
    }
    if (plan.kind !== 'page') throw new Error(`the event was not planned: ${plan.kind}`);
    const result = await events.appendPage(plan.page);
    if (result.outcome !== 'appended') throw new Error('another writer is at work');
    await states.write(plan.next);
    await progress.advance(streamName, {
      shardId: shard,
      finishedThrough: number,
      arrivalTime,
      updatedTime: arrivalTime,
    });
  }

  function nextPlace(partitionKey: string) {
    next += 1n;
    const shard = shardIds[ranges.findIndex(({ end }) => hashKey(partitionKey) <= end)];
    if (shard === undefined) throw new Error('no shard takes the record');
    return { shard, sequenceNumber: sequenceNumber(String(next)) };
  }

  async function reject(data: Uint8Array, partitionKey: string, arrivalTime: number): Promise<void> {
    const { shard, sequenceNumber: number } = nextPlace(partitionKey);
    const entry = { subSequenceNumber: 0, partitionKey, data };
    const { rejection } = ownFormatDecoder.decode(entry, arrivalTime);
    if (rejection === undefined) throw new Error('it is an event');
    const { rejected: reason, detail } = rejection;
    const entries = [{ ...entry, reason, detail }];
    await quarantine.put({
      shardId: shard,
      sequenceNumber: number,
      arrivalTime,
      partitionKey,
      data,
      entries,
    });
    await progress.advance(streamName, {
      shardId: shard,
      finishedThrough: number,
      arrivalTime,
      updatedTime: arrivalTime,
    });
  }

  async function put(event: DeviceEvent, arrivalTime: number, text = eventText(event)): Promise<Position> {
    const { shard, sequenceNumber: number } = nextPlace(event.deviceId);
    const record = { shard, sequenceNumber: number, deviceIds: [event.deviceId], arrivalTime, event, text };
    records.get(shard)?.push(record);
    if (held === undefined) await project(record);
    else held.push(record);
    return { shardId: shard, sequenceNumber: number, subSequenceNumber: 0 };
  }

  return {
    streamName,
    events,
    states,
    progress,
    quarantine,
    shardIds,
    put,
    reject,
    hold: () => {
      held ??= [];
      return async () => {
        const waiting = held ?? [];
        held = undefined;
        for (const record of waiting) await project(record);
      };
    },
    recordsSince: (shard, sinceMs) =>
      (records.get(shard) ?? []).filter(({ arrivalTime }) => arrivalTime >= sinceMs).length,
    firstArrivalAfter: (shard, after = BEGINNING) =>
      records.get(shard)?.find(({ sequenceNumber: number }) => compareSequenceNumbers(number, after) > 0)
        ?.arrivalTime,
    changeFeed: () => memoryChangeFeed(records),
    transport: ({ now }) => ({
      putRecords: async (entries) =>
        Promise.all(
          entries.map(async ({ data }) => {
            const decoded = decodeEvent(data);
            if ('rejected' in decoded) throw new Error(`not an event: ${decoded.detail}`);
            return { status: 'stored' as const, ...(await put(decoded.event, now())) };
          }),
        ),
    }),
  };
}

function memoryChangeFeed(records: ReadonlyMap<ShardId, readonly MemoryRecord[]>): ChangeFeed {
  let places = new Map<ShardId, { from: SequenceNumber; index: number }>();
  let start: ReadonlyMap<ShardId, SequenceNumber> | undefined;
  return {
    restart: (behind) => {
      start = behind;
      places = new Map();
    },
    poll: async (progress) =>
      [...records].map(([shard, all]) => {
        const from = (start ?? progress).get(shard) ?? BEGINNING;
        const place = places.get(shard) ?? {
          from,
          index: all.filter((record) => compareSequenceNumbers(record.sequenceNumber, from) <= 0).length,
        };
        places.set(shard, { from: place.from, index: all.length });
        return { shardId: shard, from: place.from, records: all.slice(place.index), atTip: true };
      }),
  };
}
