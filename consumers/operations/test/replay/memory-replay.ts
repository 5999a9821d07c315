import { memoryEventStore } from '@twinstream/event-store';
import {
  memoryLatestStateTable,
  memoryShardProgressTable,
  type ShardProgressTable,
} from '@twinstream/latest-state';
import { memoryQuarantine, type ResolvableQuarantine } from '@twinstream/quarantine';
import { type Clock, createLogger, systemClock } from '@twinstream/runtime';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { memoryJobStore } from '../../src/replay/job-store.ts';
import type { ReplayEntry } from '../../src/replay/replay-entry.ts';
import { newJob } from '../../src/replay/replay-job.ts';
import type { ReplayServices } from '../../src/replay/replay-run.ts';
import type { ReplaySpec } from '../../src/replay/replay-spec.ts';
import { memorySource } from '../../src/replay/sources/replay-source.ts';
import type { Stores } from '../../src/services.ts';

export const STREAM = 'device-events';
export const SHARD_COUNT = 3;
const START_TIME = Date.parse('2026-11-23T08:00:00Z');

export function memoryStores(): Stores {
  return { eventStore: memoryEventStore(), latestState: memoryLatestStateTable() };
}

/** Events of many devices, each in the shard of its own, in the order of their counters. */
export function recordedEntries(deviceCount: number, eventsEach: number): readonly ReplayEntry[] {
  const entries: ReplayEntry[] = [];
  for (let counter = 1; counter <= eventsEach; counter += 1) {
    for (let device = 0; device < deviceCount; device += 1) {
      const at = entries.length;
      const deviceId = `bus-${device}`;
      const arrivalTime = START_TIME + at;
      const event = {
        v: 1,
        deviceId,
        type: 'reported',
        time: new Date(arrivalTime).toISOString(),
        session: 1,
        counter,
        data: { speed: counter, [`a${counter % 3}`]: at },
      };
      entries.push({
        shardId: shardId(`shardId-00000000000${device % SHARD_COUNT}`),
        sequenceNumber: sequenceNumber(String(10_000_000 + at)),
        subSequenceNumber: 0,
        arrivalTime,
        partitionKey: deviceId,
        data: Buffer.from(`${JSON.stringify(event)}\n`),
      });
    }
  }
  return entries;
}

/** A window that holds all of them. */
export const WHOLE = [{ source: 'archive' as const, fromMs: 0, toMs: START_TIME + 1_000_000_000 }];

export function jobOf(spec: Partial<ReplaySpec>) {
  return newJob('job', { parts: WHOLE, isPolite: false, ...spec }, START_TIME);
}

export interface MemoryReplayOptions extends Partial<MemoryReplay> {
  readonly entries: readonly ReplayEntry[];
  readonly clock?: Clock;
}

/** Everything that a replay reaches, in memory, with what tests may do to it. */
export interface MemoryReplay extends ReplayServices {
  readonly fresh: Stores;
  readonly quarantine: ResolvableQuarantine;
  readonly shardProgress: ShardProgressTable;
}

export function memoryReplay({ entries, ...overrides }: MemoryReplayOptions): MemoryReplay {
  return {
    jobs: memoryJobStore(),
    stores: memoryStores(),
    fresh: memoryStores(),
    quarantine: memoryQuarantine(),
    shardProgress: memoryShardProgressTable(),
    streamName: STREAM,
    sourceOf: () => memorySource(entries, 20),
    write: async () => undefined,
    whilePaused: (work) => work(),
    clock: systemClock,
    logger: createLogger('test', 'silent'),
    checkpointMs: 0,
    ...overrides,
  };
}
