import {
  CSV,
  type DeviceJson,
  type DeviceList,
  type ListedDevice,
  listDevices,
  NDJSON,
} from '@twinstream/api-contract';
import { HISTORY_LIMITS } from '@twinstream/event-store';
import { z } from 'zod';
import { retirementOf } from '../annotations/annotation.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { isoTime } from '../device-json.ts';
import { endpoint, jsonTextAnswer } from '../endpoint.ts';
import { type FieldSelection, readFieldSelection, selectFields } from '../field-selection.ts';
import { fleetPlaces, listPage, placeIndex } from '../fleet/fleet-list.ts';
import type { FleetRow } from '../fleet/fleet-row.ts';
import type { FleetSnapshot } from '../fleet/fleet-view.ts';
import { encodeResumeToken } from '../fleet/resume-token.ts';
import { troublesJson } from '../fleet/trouble.ts';
import { devicesCsv, listAnswer, listFormat, ndjson } from '../list-format.ts';
import { badCursor, cursorExpired } from '../problem.ts';

/** Bytes of devices in one answer, unless one alone has more: the bound of a history, and for its reason. */
const LIST_BYTES_MAX = HISTORY_LIMITS.bytesMax;

/** A device never moves in the list by id, whose pages go on by place alone, in any process. */
const FIXED_SORT = 'deviceId';

/** The device that the page before ended with, and the list where its sort moves: what a device is sorted by may be long. */
const placeSchema = z
  .tuple([z.string(), z.string().optional()])
  .transform(([deviceId, list]) => ({ deviceId, list }));

export const devicesEndpoint = endpoint(
  listDevices,
  async ({ query: { cursor, limit, sort, order, fields, ...filter }, accept, getSignal }, services) => {
    const bound = { operation: 'listDevices', sort, order, ...filter };
    const after = cursor === undefined ? undefined : decodeCursor(cursor, bound, placeSchema);
    const isOfList = (after?.list === undefined) === (sort === FIXED_SORT);
    if (cursor !== undefined && (after === undefined || !isOfList)) return badCursor();
    const known = after?.list === undefined ? undefined : services.lists.find(after.list);
    if (after?.list !== undefined && known === undefined) return cursorExpired();
    const snapshot = await services.fleet.current(getSignal());
    const now = services.clock.now();
    const selection = readFieldSelection(fields);
    const format = listFormat(accept);
    const texts: string[] = [];
    const listed: ListedDevice[] = [];
    let bytesLeft = LIST_BYTES_MAX;
    const take = (device: DeviceJson, row: FleetRow): boolean => {
      const shown = selection === undefined ? device : selectListed(snapshot, device, row, selection);
      const text = JSON.stringify(shown);
      bytesLeft -= Buffer.byteLength(text);
      if (bytesLeft < 0 && texts.length > 0) return false;
      texts.push(text);
      if (format === CSV) listed.push(shown);
      return true;
    };
    const sorted = { by: sort, order };
    const places = known ?? fleetPlaces(snapshot, filter, sorted, now);
    const place = after === undefined ? undefined : placeIndex(places, after.deviceId);
    // A kept list has the device that one of its pages ended with.
    if (known !== undefined && !Number.isInteger(place)) return badCursor();
    const { last } = listPage(
      snapshot,
      { places, sort: sorted, limit, take, ...(place === undefined ? {} : { after: place }) },
      now,
    );
    const keep = () => (sort === FIXED_SORT ? [] : [after?.list ?? services.lists.keep(places)]);
    const next = last === undefined ? undefined : encodeCursor(bound, [last, ...keep()]);
    if (format === CSV) return listAnswer(format, devicesCsv(listed, selection?.attributes), next);
    if (format === NDJSON) return listAnswer(format, ndjson(texts), next);
    const rest: Omit<DeviceList, 'devices'> = {
      ...(next === undefined ? {} : { cursor: next }),
      total: places.slots.length,
      asOf: isoTime(snapshot.asOf),
      lastEventId: encodeResumeToken(snapshot.resumePoint),
    };
    return jsonTextAnswer(`{"devices":[${texts.join(',')}],${JSON.stringify(rest).slice(1)}`);
  },
);

function selectListed(
  snapshot: FleetSnapshot,
  device: DeviceJson,
  row: FleetRow,
  selection: FieldSelection,
): ListedDevice {
  const { members } = selection;
  const processed = snapshot.processedTime(row);
  const { deviceId } = row;
  const noted = { notes: snapshot.notesOf(deviceId), annotations: snapshot.annotationsOf(deviceId) };
  return {
    ...selectFields(device, selection),
    ...(members.has('troubles') ? { troubles: troublesJson(device, device.liveness, noted) } : {}),
    ...(members.has('retirement') ? { retirement: retirementOf(noted.annotations, noted.notes) } : {}),
    ...(members.has('processedTime')
      ? { processedTime: processed === undefined ? null : isoTime(processed) }
      : {}),
  };
}
