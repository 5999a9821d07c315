import type { Position, ShardId, ShardPosition } from '@twinstream/stream-model';
import type { DeviceId } from './device-id.ts';
import type { EventVersion } from './event-version.ts';
import type { JsonValue } from './json.ts';
import { noReceipts, type Receipts } from './receipts.ts';

/** What the device said of its connection. What we infer from arrival times is its liveness. */
export type ConnectionStatus = 'connected' | 'disconnected' | 'unknown';

/** A value and the version that wrote it. Without a value it is a tombstone: the attribute was removed, and stays removed for anything older. */
export interface VersionedValue {
  readonly value?: JsonValue;
  readonly version: EventVersion;
}

/** How far one shard was seen. */
export interface HighWaterMark extends ShardPosition {
  /** Latest arrival seen of the shard, milliseconds since 1970. */
  readonly arrivalTime: number;
}

/** How often what happened. Duplicates are not stored; late events are, and are among the events. */
export interface EventCounts {
  readonly events: number;
  readonly duplicates: number;
  readonly late: number;
  /** Counters that were skipped and have not come since; it does not rise beyond 2^53 − 1. */
  readonly gaps: number;
}

/** The fold of the pages 1 to `page` of one device. */
export interface DeviceState {
  readonly deviceId: DeviceId;
  /** Number of the last page folded; 0 before the first. */
  readonly page: number;
  /** Running maximum of all arrival times folded, milliseconds since 1970; 0 before the first. */
  readonly arrivalMax: number;
  readonly attributes: ReadonlyMap<string, VersionedValue>;
  /**
   * Attributes whose newest version is at or below it are not kept, neither value nor tombstone, but for labels: the names
   * of a device had become too many. Absent while none was dropped. Only rises.
   */
  readonly attributesFloor?: EventVersion;
  readonly status: { readonly value: ConnectionStatus; readonly version: EventVersion };
  /** Device time of the newest event by version, as the device wrote it. */
  readonly lastEventTime?: { readonly value: string; readonly version: EventVersion };
  /** When the device was last heard, duplicates included and corrections not; milliseconds since 1970. */
  readonly lastArrivalTime?: number;
  /** Position of the event last accepted. */
  readonly position?: Position;
  readonly marks: ReadonlyMap<ShardId, HighWaterMark>;
  /** Marks with an arrival up to it were dropped; absent while none was. Only rises. */
  readonly marksFloor?: number;
  /** The newest counted event, or session and counter -1 before one has come. */
  readonly current: { readonly session: number; readonly counter: number };
  /** Uncounted events since that counter. */
  readonly ordinal: number;
  readonly receipts: Readonly<Receipts>;
  readonly counts: EventCounts;
}

/** A device of which nothing is stored. */
export function newDevice(deviceId: DeviceId): DeviceState {
  const version = { session: -1, counter: -1, ordinal: 0, revision: 0 };
  return {
    deviceId,
    page: 0,
    arrivalMax: 0,
    attributes: new Map(),
    status: { value: 'unknown', version },
    marks: new Map(),
    current: { session: -1, counter: -1 },
    ordinal: 0,
    receipts: noReceipts(),
    counts: { events: 0, duplicates: 0, late: 0, gaps: 0 },
  };
}

/** Labels are copied from the attributes that bear their names. */
export const LABELS = ['site', 'type', 'firmware'] as const;
export type Labels = Partial<Record<(typeof LABELS)[number], string>>;

/** Label values, as text: those attributes that are a text, a number or a boolean now. */
export function labelsOf(state: Pick<DeviceState, 'attributes'>): Labels {
  const labels: Labels = {};
  for (const name of LABELS) {
    const value = state.attributes.get(name)?.value;
    if (value !== undefined && value !== null && value !== '' && typeof value !== 'object') {
      labels[name] = String(value);
    }
  }
  return labels;
}

/** Attributes by name as they stand, removed ones left out. */
export function presentAttributes(state: Pick<DeviceState, 'attributes'>): Map<string, JsonValue> {
  const present = new Map<string, JsonValue>();
  for (const [name, { value }] of state.attributes) if (value !== undefined) present.set(name, value);
  return present;
}
