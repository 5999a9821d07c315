import type { DeviceJson, Liveness } from '@twinstream/api-contract';
import { type DeviceId, type DeviceState, eventTimeMs } from '@twinstream/device-model';
import { compareWithinShard, type SequenceNumber, type ShardId } from '@twinstream/stream-model';
import { type TimelessDeviceJson, timelessDeviceJson } from '../device-json.ts';
import { hasLeft } from '../liveness.ts';
import { notedJson } from './noted-device.ts';

/** One device of the fleet as the view holds it. Equal states of a device give equal rows. */
export interface FleetRow {
  readonly deviceId: DeviceId;
  /** Number of the last page folded. */
  readonly page: number;
  readonly device: TimelessDeviceJson;
  /** Milliseconds since 1970. */
  readonly lastArrivalTime: number | undefined;
  /** The newest that the device said is that it disconnects. */
  readonly hasLeft: boolean;
  /** By the device's clock; milliseconds since 1970. */
  readonly lastEventTime: number | undefined;
  /** Highest sequence number seen, by shard: what tells whether the device changed since a moment. */
  readonly marks: ReadonlyMap<ShardId, SequenceNumber>;
  /** True where the event accepted last lies below its shard's mark, as a redriven or repaired one does: the marks do not tell of it. */
  readonly isBehindMarks: boolean;
  /** When the view found the device changed while its marks were not; milliseconds since 1970. */
  readonly alteredTime?: number;
}

export function fleetRow(state: DeviceState): FleetRow {
  const device = timelessDeviceJson(state);
  return {
    deviceId: state.deviceId,
    page: state.page,
    device,
    lastArrivalTime: state.lastArrivalTime,
    hasLeft: hasLeft(state),
    lastEventTime: device.lastEventTime === null ? undefined : eventTimeMs(device.lastEventTime),
    marks: new Map([...state.marks].map(([shardId, mark]) => [shardId, mark.sequenceNumber])),
    isBehindMarks: isBehindMarks(state),
  };
}

/** What a search looks into, in lower case. */
export function searchText({ deviceId, labels: { site, type, firmware } }: TimelessDeviceJson): string {
  return [deviceId, site, type, firmware]
    .filter((text) => text !== undefined)
    .join('\n')
    .toLowerCase();
}

function isBehindMarks({ position, marks }: DeviceState): boolean {
  if (position === undefined) return false;
  const mark = marks.get(position.shardId);
  return mark === undefined || compareWithinShard(position, mark) < 0;
}

/** @param notes bits of `NOTE` */
export function rowJson({ device }: FleetRow, liveness: Liveness, notes: number): DeviceJson {
  return notedJson(device, liveness, notes);
}
