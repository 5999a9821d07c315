import type { FleetFilter, Liveness } from '@twinstream/api-contract';
import type { DeviceId } from '@twinstream/device-model';
import type { DeviceAnnotations } from '@twinstream/table-generation/annotations';
import type { FleetScan } from './columns/fleet-scan.ts';
import type { FleetRow } from './fleet-row.ts';
import type { FleetChange, ShownDevice } from './fleet-rows.ts';
import type { ResumePoint } from './resume-token.ts';

/** All devices, as they stood at one moment. It is good until the next wait: rows change in place afterwards. */
export interface FleetSnapshot {
  /** Whatever was finished before then is in it; milliseconds since 1970. */
  readonly asOf: number;
  /** Whether the view has held everything that was finished, or has read the whole table, at least once since it began. */
  readonly hasCaughtUp: boolean;
  readonly deviceCount: number;
  /** Where updates go on after this snapshot. */
  readonly resumePoint: ResumePoint;
  /** Slots of all devices by rising id. The same array as long as no device comes or goes. */
  inOrder(): Uint32Array;
  /** The place of each slot in that order, by slot. The same array for as long. */
  ranks(): Uint32Array;
  /** The device of this id; undefined where there is none. */
  find(deviceId: DeviceId): FleetRow | undefined;
  /** The same, as its watchers were told of it last. */
  shown(deviceId: DeviceId): ShownDevice | undefined;
  /** The devices that meet a filter at a time, milliseconds since 1970. */
  scan(filter: FleetFilter, timeMs: number): FleetScan;
  /** The devices that meet a filter, as their watchers were told of them last. */
  scanShown(filter: FleetFilter): FleetScan;
  /** Ids of all devices of which a client may not know what its watchers were told last, when it has seen all up to a point. */
  changedSince(point: ResumePoint): Iterable<DeviceId>;
  livenessAt(row: FleetRow, timeMs: number): Liveness;
  /** Bits of `NOTE` of a device: 0 where nothing is noted. */
  notesOf(deviceId: DeviceId): number;
  /** What operators said of a device, also where it no longer holds. */
  annotationsOf(deviceId: DeviceId): DeviceAnnotations | undefined;
  /**
   * Whatever had arrived before then in the shards of the device is in it; without a row, in any shard. Milliseconds since
   * 1970; undefined while that is unknown.
   */
  processedTime(row?: FleetRow): number | undefined;
}

/** Hears of changes. Called synchronously, with no change at least once a cycle; it must not throw. */
export type FleetListener = (changes: readonly FleetChange[], snapshot: FleetSnapshot) => void;

/**
 * The whole fleet in memory. It sleeps while nobody asks; awake it keeps itself fresh at a bounded rate: by the hints of
 * the stream where it has them, by reading the table otherwise.
 */
export interface FleetView {
  /**
   * The fleet, fresh where the bound allows it, otherwise as it was: the snapshot says as of when. Throws
   * `FLEET_UNAVAILABLE` when it has never been read.
   */
  current(signal?: AbortSignal): Promise<FleetSnapshot>;
  /** Keeps the view awake and tells of every change, until the returned function is called. */
  watch(listener: FleetListener): () => void;
  /** Keeps the view awake for a while, as a request does. */
  stayAwake(): void;
  /** Saves the view where it has a place for that. */
  close(): Promise<void>;
}
