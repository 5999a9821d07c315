import {
  CSV,
  type DeviceJson,
  type DeviceList,
  type ListedDevice,
  listDevices,
  NDJSON,
  NOW,
} from '@twinstream/api-contract';
import { HISTORY_LIMITS } from '@twinstream/event-store';
import { z } from 'zod';
import { retirementOf } from '../annotations/annotation-json.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { isoTime } from '../device-json.ts';
import { endpoint, jsonAnswer, jsonTextAnswer } from '../endpoint.ts';
import { taggedAnswer } from '../entity-tag.ts';
import { type FieldSelection, readFieldSelection, selectFields } from '../field-selection.ts';
import { fleetPlaces, listPage, placeIndex } from '../fleet/fleet-list.ts';
import type { FleetRow } from '../fleet/fleet-row.ts';
import type { FleetSnapshot } from '../fleet/fleet-view.ts';
import { encodeResumeToken } from '../fleet/resume-token.ts';
import { troublesJson } from '../fleet/trouble.ts';
import { devicesCsv, listAnswer, listFormat, ndjson } from '../list-format.ts';
import { momentMs } from '../moment.ts';
import { badCursor, badParameter, cursorExpired } from '../problem.ts';
import { pastDevices } from './past-devices.ts';

/** Bytes of devices in one answer, unless one alone has more: the bound of a history, and for its reason. */
const LIST_BYTES_MAX = HISTORY_LIMITS.bytesMax;

/** A device never moves in the list by id, whose pages go on by place alone, in any process. */
const FIXED_SORT = 'deviceId';

/**
 * The device that the page before ended with; the list where its sort moves, since what a device is sorted by may be long; and of the
 * past the moment of the first page, in milliseconds since 1970.
 */
const placeSchema = z.union([
  z.tuple([z.string()]).transform(([deviceId]) => ({ deviceId, list: undefined, timeMs: undefined })),
  z.tuple([z.string(), z.string()]).transform(([deviceId, list]) => ({ deviceId, list, timeMs: undefined })),
  z
    .tuple([z.string(), z.int().nonnegative()])
    .transform(([deviceId, timeMs]) => ({ deviceId, list: undefined, timeMs })),
]);

export const devicesEndpoint = endpoint(
  listDevices,
  async (
    { query: { cursor, limit, sort, order, fields, at, basis, ...filter }, headers, accept, getSignal },
    services,
  ) => {
    const moment = at === undefined || at === NOW ? undefined : at;
    if (basis !== undefined && at === undefined) return badParameter('basis', 'has a meaning with at only');
    if (moment !== undefined && sort !== FIXED_SORT)
      return badParameter('sort', 'must be deviceId where at is given: no order is kept of the past');
    const bound = { operation: 'listDevices', sort, order, at: moment, basis, ...filter };
    const after = cursor === undefined ? undefined : decodeCursor(cursor, bound, placeSchema);
    const isOfList =
      (after?.list === undefined) === (sort === FIXED_SORT) &&
      (after?.timeMs === undefined) === (moment === undefined);
    if (cursor !== undefined && (after === undefined || !isOfList)) return badCursor();
    const known = after?.list === undefined ? undefined : services.lists.find(after.list);
    if (after?.list !== undefined && known === undefined) return cursorExpired();
    const snapshot = await services.fleet.current(getSignal());
    const now = services.clock.now();
    const selection = readFieldSelection(fields);
    const format = listFormat(accept);
    const about = {
      asOf: isoTime(snapshot.asOf),
      lastEventId: encodeResumeToken(snapshot.resumePoint),
    };
    if (moment !== undefined) {
      const page = await pastDevices(
        services,
        snapshot,
        {
          timeMs: after?.timeMs ?? momentMs(moment, now),
          basis: basis ?? 'arrival',
          filter,
          order,
          limit,
          after: after?.deviceId,
          selection,
          signal: getSignal(),
        },
        LIST_BYTES_MAX,
      );
      if ('answer' in page) return page.answer;
      const { devices, last, total, past } = page;
      const next = last === undefined ? undefined : encodeCursor(bound, [last, Date.parse(past.at)]);
      if (format === CSV) return listAnswer(format, devicesCsv(devices, selection?.attributes), next);
      if (format === NDJSON)
        return listAnswer(format, ndjson(devices.map((device) => JSON.stringify(device))), next);
      return jsonAnswer<DeviceList>({
        devices: [...devices],
        ...(next === undefined ? {} : { cursor: next }),
        total,
        past,
        ...about,
      });
    }
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
    const total = places.slots.length;
    const rest: Omit<DeviceList, 'devices'> = {
      ...(next === undefined ? {} : { cursor: next }),
      total,
      ...about,
    };
    const devices = texts.join(',');
    const text = () => `{"devices":[${devices}],${JSON.stringify(rest).slice(1)}`;
    // The cursor of a kept list leads to the order of this answer, not to that which the caller has.
    if (next !== undefined && sort !== FIXED_SORT) return jsonTextAnswer(text(), { 'as-of': about.asOf });
    const content = JSON.stringify([bound, fields, limit, cursor, total, next, devices]);
    return taggedAnswer(headers['if-none-match'], { content, asOf: about.asOf, text });
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
