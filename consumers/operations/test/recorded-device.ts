import { type ArrivedEvent, type DeviceState, type EventPage, newDevice } from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import type { ShardId } from '@twinstream/stream-model';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import * as fc from 'fast-check';

/** One thing that a device, or somebody correcting it, puts into the stream. */
interface DrawnEvent {
  readonly kind: 'counted' | 'repeated' | 'late' | 'uncounted' | 'corrected';
  readonly value: number;
  /** True where a batch ends behind it. */
  readonly endsBatch: boolean;
  /** Milliseconds since the event before. */
  readonly afterMs: number;
}

/** What a stream holds of one device: a parent shard, and after a split its child. */
export interface RecordedDevice {
  readonly events: readonly DrawnEvent[];
  /** Index of the first event in the child. */
  readonly splitAt: number;
}

export const recordedDevice: fc.Arbitrary<RecordedDevice> = fc.record({
  events: fc.array(
    fc.record({
      kind: fc.constantFrom('counted', 'counted', 'counted', 'repeated', 'late', 'uncounted', 'corrected'),
      value: fc.integer({ min: 0, max: 9 }),
      endsBatch: fc.boolean(),
      afterMs: fc.integer({ min: 0, max: 5 }),
    }),
    { minLength: 1, maxLength: 40 },
  ),
  splitAt: fc.integer({ min: 0, max: 40 }),
});

export interface SourceEvent {
  readonly shardId: ShardId;
  readonly arrived: ArrivedEvent;
}

export interface WrittenDevice {
  readonly source: readonly SourceEvent[];
  readonly pages: readonly EventPage[];
  readonly state: DeviceState;
}

/** What the stream holds, and the chain that a live projector makes of it. */
export async function writeRecorded({ events, splitAt }: RecordedDevice): Promise<WrittenDevice> {
  const store = memoryEventStore();
  const source = sourceOf(events, splitAt);
  const pages: EventPage[] = [];
  let state = newDevice(DEVICE);
  let batch: SourceEvent[] = [];
  const flush = async (): Promise<void> => {
    const [first] = batch;
    if (first === undefined) return;
    const arrived = batch.map((one) => one.arrived);
    const written = await writeBatch(store, state, first.shardId, arrived);
    state = written.state;
    pages.push(...written.pages);
    batch = [];
  };
  for (const [index, event] of source.entries()) {
    if (batch[0] !== undefined && batch[0].shardId !== event.shardId) await flush();
    batch.push(event);
    if (events[index]?.endsBatch === true) await flush();
  }
  await flush();
  return { source, pages, state };
}

function sourceOf(events: readonly DrawnEvent[], splitAt: number): SourceEvent[] {
  let counter = 0;
  let arrivalTime = TEST_TIME_MS;
  const skipped: number[] = [];
  return events.map(({ kind, value, afterMs }, at) => {
    arrivalTime += afterMs;
    const shardId = at < splitAt ? SHARDS[0] : SHARDS[1];
    const fields = { at, arrivalTime, data: { value, [`a${value}`]: at } };
    const late = kind === 'late' ? skipped.pop() : undefined;
    if (kind === 'uncounted') return { shardId, arrived: arrivedEvent(fields) };
    if (kind === 'corrected') {
      return { shardId, arrived: arrivedEvent({ ...fields, correctionId: `c-${at}` }) };
    }
    if (kind === 'repeated' && counter > 0) {
      return { shardId, arrived: arrivedEvent({ ...fields, session: 1, counter }) };
    }
    if (late !== undefined)
      return { shardId, arrived: arrivedEvent({ ...fields, session: 1, counter: late }) };
    counter += 1;
    if (value === 9) {
      skipped.push(counter);
      counter += 1;
    }
    return { shardId, arrived: arrivedEvent({ ...fields, session: 1, counter }) };
  });
}
