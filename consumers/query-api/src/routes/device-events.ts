import { listDeviceEvents, NDJSON } from '@twinstream/api-contract';
import { type HistoryCursor, readHistory } from '@twinstream/event-store';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { endpoint, jsonTextAnswer } from '../endpoint.ts';
import { eventJsonText } from '../event-json.ts';
import { listAnswer, listFormat, ndjson } from '../list-format.ts';
import { isRelative, momentMs } from '../moment.ts';
import { badCursor, badParameter, problemResponse } from '../problem.ts';
import { hasPages } from '../stored-pages.ts';

const ordinal = z.int().min(0);
const historyCursorSchema: z.ZodType<HistoryCursor> = z.strictObject({
  arrivalMaxBefore: ordinal.max(9_999_999_999_999),
  page: ordinal.min(1).max(999_999_999_999),
  index: ordinal,
});

export const deviceEventsEndpoint = endpoint(
  listDeviceEvents,
  async (
    { params: { deviceId }, query: { from, to, limit, cursor, order }, accept, getSignal },
    services,
  ) => {
    const now = services.clock.now();
    const fromMs = from === undefined ? undefined : momentMs(from, now);
    const toMs = to === undefined ? undefined : momentMs(to, now);
    if (fromMs !== undefined && toMs !== undefined && fromMs > toMs)
      return badParameter('to', 'must not be before from');
    const bound = { operation: 'listDeviceEvents', deviceId, from: boundOf(from), to: boundOf(to), order };
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
      return problemResponse('DEVICE_NOT_FOUND', { detail: `no events of ${deviceId} are stored` });
    }
    const next = answer.cursor === undefined ? undefined : encodeCursor(bound, answer.cursor);
    const texts = answer.events.map(eventJsonText);
    if (listFormat(accept) === NDJSON) return listAnswer(NDJSON, ndjson(texts), next);
    const rest = next === undefined ? '' : `,"cursor":${JSON.stringify(next)}`;
    return jsonTextAnswer(`{"events":[${texts.join(',')}]${rest}}`);
  },
);

/** What a cursor is bound to: the moment, however it is written, or the words that stand for another one each time. */
function boundOf(moment: string | undefined): string | number | undefined {
  return moment === undefined || isRelative(moment) ? moment : momentMs(moment, 0);
}
