import { HISTORY_LIMITS } from '@twinstream/event-store';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { type DeviceJson, deviceSchema, isoTime } from '../device-json.ts';
import { endpoint, jsonTextAnswer, NO_PARAMETERS } from '../endpoint.ts';
import {
  type FieldSelection,
  fieldsParameter,
  readFieldSelection,
  selectFields,
} from '../field-selection.ts';
import { FILTER_PARAMETERS } from '../fleet/fleet-filter.ts';
import { listFleet } from '../fleet/fleet-list.ts';
import { SORT_NAMES, type SortPlace } from '../fleet/fleet-sort.ts';
import { encodeResumeToken } from '../fleet/resume-token.ts';
import { troublesOf, troublesSchema } from '../fleet/trouble.ts';
import { cursorParameter, limitParameter, orderParameter } from '../parameters.ts';
import { badCursor } from '../problem.ts';

/** Bytes of devices in one answer, unless one alone has more: the bound of a history, and for its reason. */
const LIST_BYTES_MAX = HISTORY_LIMITS.bytesMax;

/** JSON has no undefined: a place without a value says null. */
const sortPlaceSchema = z
  .tuple([z.union([z.string(), z.number(), z.null()]), z.string()])
  .transform(([value, deviceId]): SortPlace => ({ value: value ?? undefined, deviceId }));

export const devicesEndpoint = endpoint(
  {
    method: 'get',
    path: '/v1/devices',
    operationId: 'listDevices',
    summary: 'The fleet',
    description:
      'Read from a view of the whole fleet that is refreshed at a bounded rate; `asOf` says how fresh it is. One device is always read as it stands.',
    scope: 'read',
    params: NO_PARAMETERS,
    query: z.strictObject({
      ...FILTER_PARAMETERS,
      sort: z
        .enum(SORT_NAMES, `must be one of ${SORT_NAMES.join(', ')}`)
        .default('deviceId')
        .meta({ description: 'What the list is sorted by. What has no value comes last.' }),
      order: orderParameter('Rising or falling.', true),
      fields: fieldsParameter(['troubles']),
      limit: limitParameter,
      cursor: cursorParameter,
    }),
    answers: {
      200: {
        description:
          'A page of the fleet, perhaps with fewer devices than the limit: it ends before 2 MiB, too. Without `cursor` it is the last.',
        schema: z.object({
          devices: z.array(
            z.union([
              deviceSchema.extend({ troubles: troublesSchema.optional() }),
              deviceSchema
                .partial()
                .required({ deviceId: true })
                .extend({ troubles: troublesSchema.optional() }),
            ]),
          ),
          cursor: z.string().optional(),
          total: z.int().meta({ description: 'Devices that meet the filter.' }),
          asOf: z.iso
            .datetime()
            .meta({ description: 'Whatever was finished before then is in this answer.' }),
          lastEventId: z.string().meta({
            description: 'Where `/v1/updates` goes on behind this answer, as its parameter of that name.',
          }),
        }),
      },
    },
    problems: ['BAD_CURSOR'],
  },
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
    const rest = JSON.stringify({
      ...(last === undefined ? {} : { cursor: encodeCursor(bound, [last.value ?? null, last.deviceId]) }),
      total,
      asOf: isoTime(snapshot.asOf),
      lastEventId: encodeResumeToken(snapshot.resumePoint),
    });
    return jsonTextAnswer(`{"devices":[${texts.join(',')}],${rest.slice(1)}`);
  },
);

function selectListed(device: DeviceJson, selection: FieldSelection): Record<string, unknown> {
  const selected = selectFields(device, selection);
  if (selection.members.has('troubles')) selected.troubles = troublesOf({ device }, device.liveness);
  return selected;
}
