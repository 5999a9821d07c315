import {
  ITEM_BYTES_MAX,
  type Item,
  itemBytes,
  numberValue,
  readNumber,
  requireNumber,
  requireText,
  textValue,
} from '@twinstream/aws/dynamodb';
import type { Upcaster } from '@twinstream/device-model';
import { deviceId, type EventPage } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { shardId } from '@twinstream/stream-model';
import { bodyText, bodyValue } from './body-value.ts';
import type { PageSummary } from './event-store.ts';
import { type PageFrame, pageBody, readPageBody } from './page-body.ts';
import { summaryOf } from './page-summary.ts';
import { pageSortKey, readPageSortKey } from './sort-key.ts';

/*
 * A page as an item. Beside the body stand the attributes that are wanted without it: `shardId`, `eventCount`,
 * `duplicates` (where there are any), `firstArrivalTime`, `firstEventTime`, `lastEventTime` (where it differs).
 */

/** Attributes that make a {@link PageSummary}. */
export const SUMMARY_ATTRIBUTES = [
  'key',
  'shardId',
  'eventCount',
  'duplicates',
  'firstArrivalTime',
  'firstEventTime',
  'lastEventTime',
] as const;

const BODY = 'body';

/** Decompressed. A page that fits an item holds at most 100 Ki characters of text, or one event of 256 KiB, and places. */
export const PAGE_BODY_BYTES_MAX = 2 * 1_024 * 1_024;

/** Throws `PAGE_TOO_LARGE` for a page that exceeds 400 KB even when compressed. */
export function encodePage(page: EventPage): Item {
  return sizedPage(page).item;
}

/** The item of a page, and its `itemBytes`. Throws as {@link encodePage} does. */
export function sizedPage(page: EventPage): { readonly item: Item; readonly bytes: number } {
  const item = attributesBesideBody(page);
  const bytesBeside = itemBytes(item);
  const body = bodyValue(pageBody(page), bytesBeside + BODY.length);
  item[BODY] = body;
  const bytes = bytesBeside + itemBytes({ [BODY]: body });
  if (bytes > ITEM_BYTES_MAX) {
    throw new CodedError(
      'PAGE_TOO_LARGE',
      `page ${page.page} of device ${page.deviceId} takes ${bytes} bytes; an item holds ${ITEM_BYTES_MAX}`,
    );
  }
  return { item, bytes };
}

/** Everything of a page's item but the body. */
export function attributesBesideBody(page: EventPage): Item {
  const { shardId, eventCount, duplicates, firstArrivalTime, firstEventTime, lastEventTime } =
    summaryOf(page);
  const item: Item = {
    deviceId: textValue(page.deviceId),
    key: textValue(pageSortKey(page)),
    shardId: textValue(shardId),
    eventCount: numberValue(eventCount),
    firstArrivalTime: numberValue(firstArrivalTime),
  };
  if (duplicates > 0) item.duplicates = numberValue(duplicates);
  if (firstEventTime !== undefined) item.firstEventTime = numberValue(firstEventTime);
  if (lastEventTime !== undefined && lastEventTime !== firstEventTime) {
    item.lastEventTime = numberValue(lastEventTime);
  }
  return item;
}

/**
 * A page as its key and its body say; attributes beside them decide nothing that the body says too.
 *
 * Throws `DAMAGED_PAGE` for an item that is not a page of a known format, `UNKNOWN_EVENT_VERSION` for events of newer code.
 */
export function decodePage(item: Item, upcasters?: ReadonlyMap<number, Upcaster>): EventPage {
  try {
    const head = {
      deviceId: deviceId(requireText(item, 'deviceId')),
      ...readPageSortKey(requireText(item, 'key')),
    };
    return readPageBody(bodyText(item[BODY], PAGE_BODY_BYTES_MAX), head, () => frameBeside(item), upcasters);
  } catch (cause) {
    if (cause instanceof CodedError && cause.code === 'UNKNOWN_EVENT_VERSION') throw cause;
    const name = `${item.deviceId?.S ?? '?'} ${item.key?.S ?? '?'}`;
    throw new CodedError('DAMAGED_PAGE', `page ${name} cannot be read: ${String(cause)}`, { cause });
  }
}

function frameBeside(item: Item): PageFrame {
  return {
    shardId: shardId(requireText(item, 'shardId')),
    duplicates: readNumber(item, 'duplicates') ?? 0,
    firstArrivalTime: requireNumber(item, 'firstArrivalTime'),
  };
}

/** Throws `DAMAGED_ITEM` for an item that is not a page. */
export function decodeSummary(item: Item): PageSummary {
  const firstEventTime = readNumber(item, 'firstEventTime');
  return {
    ...readPageSortKey(requireText(item, 'key')),
    ...frameBeside(item),
    eventCount: requireNumber(item, 'eventCount'),
    ...(firstEventTime === undefined
      ? {}
      : { firstEventTime, lastEventTime: readNumber(item, 'lastEventTime') ?? firstEventTime }),
  };
}
