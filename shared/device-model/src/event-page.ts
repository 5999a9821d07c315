import type { ShardId, ShardPosition } from '@twinstream/stream-model';
import type { DeviceEvent } from './device-event.ts';
import type { DeviceId } from './device-id.ts';
import type { EventVersion } from './event-version.ts';

/** An event as the store keeps it: with its place, its own arrival, and what was decided when it was accepted. */
export interface StoredEvent {
  readonly place: ShardPosition;
  /** Milliseconds since 1970. */
  readonly arrivalTime: number;
  readonly event: DeviceEvent;
  /** The event's own JSON. */
  readonly text: string;
  /** What decides whether it is newer than another. */
  readonly version: EventVersion;
  /** Present when the event came after newer ones: by how much it changed the gaps of its session. */
  readonly late?: { readonly gapChange: number };
  /** Present when a repair appended the event, out of the shard's own order. */
  readonly repaired?: true;
}

/** One immutable link of a device's chain: events of one shard in their order, and what was dropped with them. */
export interface EventPage {
  readonly deviceId: DeviceId;
  /** From 1, without gaps. */
  readonly page: number;
  /** Running maximum of arrivals after the page before; with the number it makes the key. */
  readonly arrivalMaxBefore: number;
  readonly shardId: ShardId;
  readonly events: readonly StoredEvent[];
  /** Duplicates that were dropped with this page. */
  readonly duplicates: number;
  /** Highest position seen in this page, duplicates included. */
  readonly through: ShardPosition;
  /** Arrival at `through`; milliseconds since 1970. */
  readonly throughArrivalTime: number;
  /** Earliest and latest arrival, duplicates included; milliseconds since 1970. */
  readonly firstArrivalTime: number;
  readonly lastArrivalTime: number;
  /** Latest arrival of anything the device itself sent, duplicates included; absent when corrections are all there is. */
  readonly heardTime?: number;
}
