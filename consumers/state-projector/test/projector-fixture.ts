import {
  type DeviceEvent,
  type DeviceId,
  deviceId,
  type EventPage,
  encodeEvent,
  type JsonObject,
} from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import { memoryLatestStateTable, memoryShardProgressTable } from '@twinstream/latest-state';
import { memoryQuarantine } from '@twinstream/quarantine';
import { createLogger, systemClock } from '@twinstream/runtime';
import { lambdaBatch } from '@twinstream/stream-model/testing';
import {
  type BatchSummary,
  createProjector,
  PROJECTOR_OPTIONS,
  type ProjectorOptions,
  type ProjectorServices,
} from '../src/index.ts';

/** When the tests take place. */
export const T0 = Date.parse('2026-01-01T00:00:00Z');
export const SHARD = 'shardId-000000000000';
export const BUS = deviceId('bus-1');

/** An event of one device: counted unless it is told otherwise. */
export function reported(
  counter: number,
  data: JsonObject = { n: counter },
  id: DeviceId = BUS,
): DeviceEvent {
  const identity = { session: 1, counter };
  return { v: 1, deviceId: id, type: 'reported', time: '2026-01-01T00:00:00Z', identity, data };
}

export function uncounted(data: JsonObject, id: DeviceId = BUS): DeviceEvent {
  return { v: 1, deviceId: id, type: 'reported', time: '2026-01-01T00:00:00Z', data };
}

/** A record with this sequence number, arriving that many milliseconds after T0. */
export function record(
  sequenceNumber: number,
  what: DeviceEvent | Uint8Array | string,
  arrivalTime = T0 + sequenceNumber,
) {
  const data = typeof what === 'string' || what instanceof Uint8Array ? what : encodeEvent(what);
  const partitionKey = typeof what === 'string' || what instanceof Uint8Array ? 'key' : what.deviceId;
  return { sequenceNumber: String(sequenceNumber), partitionKey, data, arrivalTime };
}

export type TestRecord = ReturnType<typeof record>;

/** A projector on stores in memory; `overrides` replaces services, `options` settings. */
export function projectorFixture(
  overrides: Partial<ProjectorServices> = {},
  options: Partial<ProjectorOptions> = {},
) {
  const summaries: BatchSummary[] = [];
  const services: ProjectorServices = {
    eventStore: memoryEventStore(),
    latestState: memoryLatestStateTable(),
    shardProgress: memoryShardProgressTable(),
    quarantine: memoryQuarantine(),
    clock: systemClock,
    logger: createLogger('test', 'silent'),
    report: (summary) => summaries.push(summary),
    ...overrides,
  };
  /** Another container: the same stores, a memory of its own. */
  const container = (replaced: Partial<ProjectorServices> = {}) => {
    const project = createProjector({ ...services, ...replaced }, { ...PROJECTOR_OPTIONS, ...options });
    return (records: readonly TestRecord[], shardId = SHARD, remainingMs = () => 60_000) =>
      project(lambdaBatch({ shardId, records }), { requestId: 'request', remainingMs });
  };
  const pages = async (id: DeviceId = BUS): Promise<EventPage[]> => {
    const found: EventPage[] = [];
    for await (const page of services.eventStore.pages(id)) found.push(page);
    return found;
  };
  return { services, summaries, container, deliver: container(), pages };
}

/** What a complete batch is answered with. */
export const FINISHED = { batchItemFailures: [] };

export function unfinished(sequenceNumber: number) {
  return { batchItemFailures: [{ itemIdentifier: String(sequenceNumber) }] };
}
