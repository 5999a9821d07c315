import { type DeviceJson, type DeviceList, type ListedDevice, listDevices } from '@twinstream/api-contract';
import { HISTORY_LIMITS } from '@twinstream/event-store';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { isoTime } from '../device-json.ts';
import { endpoint, jsonTextAnswer } from '../endpoint.ts';
import { type FieldSelection, readFieldSelection, selectFields } from '../field-selection.ts';
import { listFleet } from '../fleet/fleet-list.ts';
import type { SortPlace } from '../fleet/fleet-sort.ts';
import { encodeResumeToken } from '../fleet/resume-token.ts';
import { troublesOf } from '../fleet/trouble.ts';
import { badCursor } from '../problem.ts';

/** Bytes of devices in one answer, unless one alone has more: the bound of a history, and for its reason. */
const LIST_BYTES_MAX = HISTORY_LIMITS.bytesMax;

/** JSON has no undefined: a place without a value says null. */
const sortPlaceSchema = z
  .tuple([z.union([z.string(), z.number(), z.null()]), z.string()])
  .transform(([value, deviceId]): SortPlace => ({ value: value ?? undefined, deviceId }));

export const devicesEndpoint = endpoint(
  listDevices,
  async ({ query: { cursor, limit, sort, order, fields, ...filter }, getSignal }, services) => {
    const bound = { operation: 'listDevices', sort, order, ...filter };
    const after = cursor === undefined ? undefined : decodeCursor(cursor, bound, sortPlaceSchema);
    if (cursor !== undefined && after === undefined) return badCursor();
    const snapshot = await services.fleet.current(getSignal());
    const selection = readFieldSelection(fields);
    const texts: string[] = [];
    let bytesLeft = LIST_BYTES_MAX;
    const take = (device: DeviceJson): boolean => {
      const text = JSON.stringify(selection === undefined ? device : selectListed(device, selection));
      bytesLeft -= Buffer.byteLength(text);
      if (bytesLeft < 0 && texts.length > 0) return false;
      texts.push(text);
      return true;
    };
    const { total, last } = listFleet(
      snapshot,
      { filter, sort: { by: sort, order }, limit, take, ...(after === undefined ? {} : { after }) },
      services.liveness,
      services.clock.now(),
    );
    const rest: Omit<DeviceList, 'devices'> = {
      ...(last === undefined ? {} : { cursor: encodeCursor(bound, [last.value ?? null, last.deviceId]) }),
      total,
      asOf: isoTime(snapshot.asOf),
      lastEventId: encodeResumeToken(snapshot.resumePoint),
    };
    return jsonTextAnswer(`{"devices":[${texts.join(',')}],${JSON.stringify(rest).slice(1)}`);
  },
);

function selectListed(device: DeviceJson, selection: FieldSelection): ListedDevice {
  const selected = selectFields(device, selection);
  return selection.members.has('troubles')
    ? { ...selected, troubles: troublesOf({ device }, device.liveness) }
    : selected;
}
