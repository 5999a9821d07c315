import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { deviceSchema, isoTime } from '../device-json.ts';
import { endpoint, jsonAnswer, NO_PARAMETERS } from '../endpoint.ts';
import { FILTER_PARAMETERS } from '../fleet/fleet-filter.ts';
import { listFleet } from '../fleet/fleet-list.ts';
import { SORT_NAMES, type SortPlace } from '../fleet/fleet-sort.ts';
import { cursorParameter, limitParameter, orderParameter } from '../parameters.ts';
import { badCursor } from '../problem.ts';

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
      limit: limitParameter,
      cursor: cursorParameter,
    }),
    answers: {
      200: {
        description: 'A page of the fleet. Without `cursor` it is the last.',
        schema: z.object({
          devices: z.array(deviceSchema),
          cursor: z.string().optional(),
          total: z.int().meta({ description: 'Devices that meet the filter.' }),
          asOf: z.iso.datetime().meta({ description: 'Whatever was stored before then is in this answer.' }),
        }),
      },
    },
    problems: ['BAD_CURSOR'],
  },
  async ({ query: { cursor, limit, sort, order, ...filter }, signal }, services) => {
    const bound = { operation: 'listDevices', sort, order, ...filter };
    const after = cursor === undefined ? undefined : decodeCursor(cursor, bound, sortPlaceSchema);
    if (cursor !== undefined && after === undefined) return badCursor();
    const snapshot = await services.fleet.current(signal);
    const { devices, total, last } = listFleet(
      snapshot,
      { filter, sort: { by: sort, order }, limit, ...(after === undefined ? {} : { after }) },
      services.liveness,
      services.clock.now(),
    );
    return jsonAnswer({
      devices,
      ...(last === undefined ? {} : { cursor: encodeCursor(bound, [last.value ?? null, last.deviceId]) }),
      total,
      asOf: isoTime(snapshot.asOf),
    });
  },
);
