import type { ConnectionStatus, EventCounts, JsonObject, JsonValue, Labels } from '@twinstream/device-model';

// Types alone come from the device model: its code needs Node, and this page needs none of it.

/** Labels of a device, in the order of their columns; the device model's own list. */
export const LABELS = ['site', 'type', 'firmware'] as const satisfies readonly (keyof Labels)[];

/** What the API infers from arrival times, as distinct from what the device said. */
export const LIVENESS = ['online', 'stale', 'offline'] as const;
export type Liveness = (typeof LIVENESS)[number];

/** Version of an event or an attribute, as the API gives it. */
export interface WireVersion {
  readonly session: number;
  readonly counter: number;
  readonly ordinal?: number;
  readonly revision?: number;
}

export interface WirePosition {
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly subSequenceNumber: number;
}

/** What is known of one attribute beyond its value. */
export interface AttributeFacts {
  readonly version?: WireVersion;
  /** Milliseconds since 1970; absent where the API does not say. */
  readonly time?: number;
}

export interface Device {
  readonly deviceId: string;
  readonly status: ConnectionStatus;
  readonly liveness: Liveness;
  readonly attributes: JsonObject;
  readonly attributeFacts: ReadonlyMap<string, AttributeFacts>;
  readonly labels: Labels;
  readonly version?: WireVersion;
  readonly position?: WirePosition;
  readonly counts: EventCounts;
  /** The device's own clock, as it wrote it. */
  readonly lastEventTime?: string;
  /** Milliseconds since 1970. */
  readonly lastArrivalTime?: number;
}

export interface HistoryEvent {
  readonly type: string;
  /** The device's own clock, as it wrote it. */
  readonly time: string;
  /** Milliseconds since 1970. */
  readonly arrivalTime: number;
  readonly identity?: { readonly session: number; readonly counter: number };
  readonly data: JsonObject;
  readonly position?: WirePosition;
  readonly late: boolean;
  readonly repaired: boolean;
  readonly correction?: {
    readonly reason: string;
    readonly actor: string;
    readonly corrects?: { readonly session: number; readonly counter: number };
  };
  /** The event as it was answered. */
  readonly raw: JsonValue;
}

export interface ShardHealth {
  readonly shardId: string;
  readonly state: string;
  readonly lagMs?: number;
  readonly recordsPerSecond?: number;
  readonly finishedThrough?: string;
}

export interface ReplayJob {
  readonly id: string;
  readonly state: string;
  /** 0-1. */
  readonly progress?: number;
  readonly detail?: string;
}

export interface Pipeline {
  readonly stream: string;
  readonly retentionHours?: number;
  readonly shards: readonly ShardHealth[];
  readonly quarantined?: number;
  /** Milliseconds since 1970. */
  readonly archiveDeliveryTime?: number;
  readonly replays: readonly ReplayJob[];
}

/** Devices by one of their properties: value to count, the most frequent first; undefined where it is not counted. */
export type Tally = ReadonlyMap<string, number | undefined>;

/** After how long a silence a device counts as stale, and as offline. */
export interface LivenessThresholds {
  readonly staleAfterMs: number;
  readonly offlineAfterMs: number;
}

export interface FleetSummary {
  readonly total: number;
  readonly liveness: Readonly<Record<Liveness, number>>;
  readonly inTrouble?: number;
  /** By kind; a device may have more than one. */
  readonly troubles?: { readonly silent: number; readonly gaps: number };
  readonly status: Tally;
  readonly site: Tally;
  readonly type: Tally;
  readonly firmware: Tally;
  /** Thresholds of devices whose type has none of its own. */
  readonly thresholds?: LivenessThresholds;
  /** When the counts were true; milliseconds since 1970. */
  readonly asOf?: number;
}

export interface Listed<T> {
  readonly items: readonly T[];
  readonly cursor?: string;
  /** How many there are in all, where the API says. */
  readonly total?: number;
  /** When the list was true; milliseconds since 1970. */
  readonly asOf?: number;
  /** Where the update stream goes on behind this answer. */
  readonly lastEventId?: string;
}
