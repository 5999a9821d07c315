import {
  type Basis,
  type DeviceJson,
  type DeviceList,
  type FleetFilter,
  type ListedDevice,
  type Order,
  PAST_DEVICES_MAX,
} from '@twinstream/api-contract';
import type { DeviceId } from '@twinstream/device-model';
import { asOfTime, asOfTimeFault } from '@twinstream/event-store';
import { retirementOf } from '../annotations/annotation-json.ts';
import { deviceJson } from '../annotations/noted-state.ts';
import { countedStore } from '../counted-store.ts';
import { isoTime, timelessDeviceJson } from '../device-json.ts';
import { type FieldSelection, selectFields } from '../field-selection.ts';
import { fleetPredicate } from '../fleet/fleet-filter.ts';
import { fleetPlaces, type PlaceList, placeIndex } from '../fleet/fleet-list.ts';
import type { FleetSnapshot } from '../fleet/fleet-view.ts';
import { troublesJson } from '../fleet/trouble.ts';
import { pastState } from '../past-state.ts';
import { badParameter } from '../problem.ts';
import type { QueryApiServices } from '../services.ts';

export interface PastQuery {
  /** The moment, in milliseconds since 1970. */
  readonly timeMs: number;
  readonly basis: Basis;
  readonly filter: FleetFilter;
  readonly order: Order;
  readonly limit: number;
  /** The page begins after this device. */
  readonly after: string | undefined;
  readonly selection: FieldSelection | undefined;
  readonly signal: AbortSignal;
}

export interface PastPage {
  readonly devices: readonly ListedDevice[];
  /** The device that was looked at last; absent at the end of the list. */
  readonly last?: DeviceId;
  /** Devices that the pages of the list look at. */
  readonly total: number;
  readonly past: NonNullable<DeviceList['past']>;
}

/** Histories that are read concurrently. */
const READS_AT_ONCE = 16;

/**
 * A page of the fleet as it was: the histories of up to {@link PAST_DEVICES_MAX} devices are read, in the order of their ids, and
 * those that met the filter then are answered. Nothing of it is kept: the next page reads on.
 *
 * @param bytesMax of devices in the page, unless one alone has more
 */
export async function pastDevices(
  services: QueryApiServices,
  snapshot: FleetSnapshot,
  { timeMs, basis, filter, order, limit, after, selection, signal }: PastQuery,
  bytesMax: number,
): Promise<PastPage | { readonly answer: Response }> {
  const nowMs = services.clock.now();
  const fault = asOfTimeFault(timeMs, nowMs);
  if (fault !== undefined) return { answer: badParameter('at', fault) };
  const { ids, acknowledged: _a, retired: _r, ...conditions } = filter;
  const known = { retired: 'any', ...(ids === undefined ? {} : { ids }) } as const;
  const places = fleetPlaces(snapshot, known, { by: 'deviceId', order }, nowMs);
  const queue = idsAfter(places, order, after);
  const { store, reads } = countedStore(services.events);
  const processed = await services.processed();
  const meets = fleetPredicate(conditions);
  const read = async (deviceId: DeviceId): Promise<DeviceJson | undefined> => {
    const state = await pastState(store, deviceId, asOfTime(timeMs, nowMs), basis, signal);
    if (state === undefined) return undefined;
    const device = deviceJson(state, services, timeMs, processed.of([]), 0);
    return meets({ deviceId, device: timelessDeviceJson(state) }, device.liveness, 0) ? device : undefined;
  };
  const devices: ListedDevice[] = [];
  let bytesLeft = bytesMax;
  let devicesRead = 0;
  let place = 0;
  let isFull = false;
  while (!isFull && place < queue.length && devicesRead < PAST_DEVICES_MAX) {
    const room = Math.min(READS_AT_ONCE, limit - devices.length, PAST_DEVICES_MAX - devicesRead);
    const batch = queue.slice(place, place + room);
    const found = await Promise.all(batch.map(read));
    devicesRead += batch.length;
    for (const device of found) {
      if (device !== undefined) {
        const shown = selection === undefined ? device : selectPast(device, selection);
        bytesLeft -= Buffer.byteLength(JSON.stringify(shown));
        isFull = bytesLeft < 0 && devices.length > 0;
        if (isFull) break;
        devices.push(shown);
      }
      place += 1;
    }
    isFull ||= devices.length === limit;
  }
  const last = place < queue.length ? queue[place - 1] : undefined;
  const past = { at: isoTime(timeMs), basis, devicesRead, reads: reads() };
  return { devices, total: places.slots.length, past, ...(last === undefined ? {} : { last }) };
}

function idsAfter({ slots, idOf, ...rest }: PlaceList, order: Order, after: string | undefined): DeviceId[] {
  const place = after === undefined ? undefined : placeIndex({ slots, idOf, ...rest }, after);
  // One more than is read, to know whether there are more.
  const count = PAST_DEVICES_MAX + 1;
  if (order === 'asc') {
    const first = place === undefined ? 0 : Math.floor(place) + 1;
    return [...slots.subarray(first, first + count)].map(idOf);
  }
  const end = place === undefined ? slots.length : Math.ceil(place);
  return [...slots.subarray(Math.max(0, end - count), end)].reverse().map(idOf);
}

function selectPast(device: DeviceJson, selection: FieldSelection): ListedDevice {
  const { members } = selection;
  return {
    ...selectFields(device, selection),
    ...(members.has('troubles') ? { troubles: troublesJson(device, device.liveness, { notes: 0 }) } : {}),
    ...(members.has('retirement') ? { retirement: retirementOf(undefined, 0) } : {}),
    ...(members.has('processedTime') ? { processedTime: null } : {}),
  };
}
