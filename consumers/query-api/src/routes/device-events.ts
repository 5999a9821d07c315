import { eventTimeMs } from '@twinstream/device-model';
import { type HistoryCursor, readHistory } from '@twinstream/event-store';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { endpoint, jsonTextAnswer } from '../endpoint.ts';
import { eventJsonText, eventSchema } from '../event-json.ts';
import {
  cursorParameter,
  deviceIdParameter,
  limitParameter,
  orderParameter,
  storedTimeParameter,
} from '../parameters.ts';
import { badCursor, badParameter, problemResponse } from '../problem.ts';
import { hasPages } from '../stored-pages.ts';

const ordinal = z.int().min(0);
const historyCursorSchema: z.ZodType<HistoryCursor> = z.strictObject({
  arrivalMaxBefore: ordinal.max(9_999_999_999_999),
  page: ordinal.min(1).max(999_999_999_999),
  index: ordinal,
});

export const deviceEventsEndpoint = endpoint(
  {
    method: 'get',
    path: '/v1/devices/{deviceId}/events',
    operationId: 'listDeviceEvents',
    summary: 'History of one device',
    description:
      'Stored events in chain order: the order in which they were accepted. `from` and `to` go by arrival.',
    scope: 'read',
    params: z.strictObject({ deviceId: deviceIdParameter }),
    query: z.strictObject({
      from: storedTimeParameter.optional().meta({ description: 'Events that arrived then or later.' }),
      to: storedTimeParameter.optional().meta({ description: 'Events that arrived before then.' }),
      limit: limitParameter,
      cursor: cursorParameter,
      order: orderParameter('`asc`: accepted first comes first.', true),
    }),
    answers: {
      200: {
        description:
          'A stretch of history, perhaps with fewer events than the limit, or none: it ends before 2 MiB of events, too. Without `cursor` it is the last.',
        schema: z.object({ events: z.array(eventSchema), cursor: z.string().optional() }),
      },
    },
    problems: ['DEVICE_NOT_FOUND', 'BAD_CURSOR'],
  },
  async ({ params: { deviceId }, query: { from, to, limit, cursor, order }, getSignal }, services) => {
    const fromMs = from === undefined ? undefined : eventTimeMs(from);
    const toMs = to === undefined ? undefined : eventTimeMs(to);
    if (fromMs !== undefined && toMs !== undefined && fromMs > toMs)
      return badParameter('to', 'must not be before from');
    const bound = { operation: 'listDeviceEvents', deviceId, fromMs, toMs, order };
    const place = cursor === undefined ? undefined : decodeCursor(cursor, bound, historyCursorSchema);
    if (cursor !== undefined && place === undefined) return badCursor();
    const answer = await readHistory(services.events, {
      deviceId,
      ...(fromMs === undefined ? {} : { from: fromMs }),
      ...(toMs === undefined ? {} : { to: toMs }),
      order: order === 'asc' ? 'ascending' : 'descending',
      limit,
      ...(place === undefined ? {} : { cursor: place }),
      signal: getSignal(),
    });
    const isStored =
      answer.events.length > 0 ||
      (await services.deviceStates.read(deviceId)) !== undefined ||
      (await hasPages(services.events, deviceId, getSignal()));
    if (!isStored) {
      return problemResponse('DEVICE_NOT_FOUND', { detail: `nothing is stored of ${deviceId}` });
    }
    const rest =
      answer.cursor === undefined ? '' : `,"cursor":${JSON.stringify(encodeCursor(bound, answer.cursor))}`;
    return jsonTextAnswer(`{"events":[${answer.events.map(eventJsonText).join(',')}]${rest}}`);
  },
);
