import type { DeviceJson } from '@twinstream/api-contract';

/** Changes of a fleet, numbered; a number is what a client of the update stream resumes from. */
export interface SimulatedFleet {
  readonly devices: ReadonlyMap<string, DeviceJson>;
  readonly changeCount: () => number;
  /** Devices that changed after the given number of changes. */
  readonly changedSince: (count: number) => readonly DeviceJson[];
  /** Changes a device, or adds it, and tells its watchers. */
  readonly change: (deviceId: string, patch?: Partial<DeviceJson>) => void;
  readonly watch: (heard: (device: DeviceJson, before: DeviceJson | undefined) => void) => () => void;
}

const SITES = ['austin-north', 'austin-south', 'cedar-park'];
const TYPES = ['bus', 'tram', 'gate'];

export function simulatedId(index: number): string {
  return `${TYPES[index % TYPES.length]}-${String(index).padStart(5, '0')}`;
}

function simulatedDevice(index: number, nowMs: number): DeviceJson {
  const site = SITES[index % SITES.length] ?? '';
  const type = TYPES[index % TYPES.length] ?? '';
  const heard = new Date(nowMs - (index % 90) * 1_000).toISOString();
  return {
    deviceId: simulatedId(index),
    status: 'connected',
    liveness: 'online',
    attributes: { site, type, firmware: '2.4.1', speedMph: index % 60, batteryPercent: 50 + (index % 50) },
    labels: { site, type, firmware: '2.4.1' },
    version: { session: 1, counter: 10 },
    position: {
      shardId: 'shardId-000000000000',
      sequenceNumber: String(1_000 + index),
      subSequenceNumber: 0,
    },
    counts: { events: 10, duplicates: 0, late: 0, gaps: 0 },
    lastEventTime: heard,
    lastArrivalTime: heard,
  };
}

/** A fleet of one's own making: what it holds outlives the servers that show it. */
export function simulatedFleet(deviceCount: number): SimulatedFleet {
  const devices = new Map<string, DeviceJson>();
  const nowMs = Date.now();
  for (let index = 0; index < deviceCount; index += 1)
    devices.set(simulatedId(index), simulatedDevice(index, nowMs));
  const changes: string[] = [];
  const watchers = new Set<(device: DeviceJson, before: DeviceJson | undefined) => void>();
  return {
    devices,
    changeCount: () => changes.length,
    changedSince: (count) => [...new Set(changes.slice(count))].flatMap((id) => devices.get(id) ?? []),
    change: (deviceId, patch = {}) => {
      const before = devices.get(deviceId);
      const base = before ?? { ...simulatedDevice(0, Date.now()), deviceId };
      const time = new Date().toISOString();
      const counts = { ...base.counts, events: base.counts.events + 1 };
      const after = { ...base, counts, lastEventTime: time, lastArrivalTime: time, ...patch };
      devices.set(deviceId, after);
      changes.push(deviceId);
      for (const heard of watchers) heard(after, before);
    },
    watch: (heard) => {
      watchers.add(heard);
      return () => watchers.delete(heard);
    },
  };
}
