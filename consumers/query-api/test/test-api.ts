import { type DeviceEvent, deviceId, type JsonObject } from '@twinstream/device-model';
import { type VirtualClock, virtualClock } from '@twinstream/test-kit';
import { loopbackAccess } from '../src/access.ts';
import { createApp } from '../src/app.ts';
import type { QueryApiServices } from '../src/services.ts';
import { type CheckedClient, checkedClient } from './checked-client.ts';
import { type MemoryPipeline, memoryPipeline } from './memory-pipeline.ts';
import { type MemoryServicesOptions, memoryServices } from './memory-services.ts';

/** What a test says of an event; the rest is filled in. */
export interface Said {
  readonly type?: string;
  readonly session?: number;
  readonly counter?: number;
  readonly data?: JsonObject;
  /** The device's clock. Default: the arrival. */
  readonly time?: string;
  readonly correction?: NonNullable<DeviceEvent['correction']>;
}

/** The API on memory, with a clock that the test moves. */
export interface TestApi {
  readonly ask: CheckedClient;
  readonly pipeline: MemoryPipeline;
  readonly services: QueryApiServices;
  readonly clock: VirtualClock;
  /** A device says something, now. */
  say(device: string, said?: Said): Promise<void>;
  close(): Promise<void>;
}

export function testApi(options: Omit<MemoryServicesOptions, 'clock'> = {}): TestApi {
  const clock = virtualClock();
  const pipeline = memoryPipeline();
  const services = memoryServices(pipeline, { ...options, clock });
  return {
    ask: checkedClient(createApp(services, loopbackAccess())),
    pipeline,
    services,
    clock,
    say: async (device, said = {}) => {
      await pipeline.put(eventOf(device, said, clock.now()), clock.now());
    },
    close: () => services.fleet.close(),
  };
}

export function eventOf(device: string, said: Said, timeMs: number): DeviceEvent {
  const { type = 'reported', session = 1, counter, data = {}, correction } = said;
  return {
    v: 1,
    deviceId: deviceId(device),
    type: correction === undefined ? type : 'corrected',
    time: said.time ?? new Date(timeMs).toISOString(),
    ...(counter === undefined ? {} : { identity: { session, counter } }),
    data,
    ...(correction === undefined ? {} : { correction }),
  };
}
