/** Prefixes of the objects in a pipeline's bucket. Writers, readers, roles and lifecycle rules use the same ones. */

/** Archive lines, by hour of delivery. */
export const ARCHIVE_PREFIX = 'archive/';
/** The dead-letter store: poison records, by hour of arrival. */
export const QUARANTINE_PREFIX = 'quarantine/';
/** Poison records that an operator resolved. */
export const RESOLVED_PREFIX = 'quarantine-resolved/';
/**
 * Batches that a mapping gave up. The prefix is AWS's own and cannot be chosen: "Retain discarded batch records", Lambda
 * developer guide, read 2026-11.
 */
export const FAILED_BATCHES_PREFIX = 'aws/lambda/';
/** Messages that the IoT rule could not put on the stream. */
export const IOT_ERRORS_PREFIX = 'iot-errors/';
/** Given-up batches and failed messages that an operator redrove: the key of before follows the prefix. */
export const REDRIVEN_PREFIX = 'redriven/';

/** The saved view of the fleet, from which the long-lived API starts: one object, replaced with every saving. */
export const SAVED_VIEW_KEY = 'fleet-view/view.ndjson.zst';

const YEAR_MAX = 9_999;

/**
 * Folder of an hour (UTC) below a prefix, as in `archive/year=2026/month=11/day=30/hour=09/`. Text order is time order.
 * Throws RangeError outside the years 0 to 9999.
 *
 * @param timeMs milliseconds since 1970
 */
export function hourFolder(prefix: string, timeMs: number): string {
  const date = new Date(timeMs);
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= YEAR_MAX)) throw new RangeError(`no hour of the years 0 to 9999: ${timeMs}`);
  const [month, day, hour] = [date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours()].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${prefix}year=${String(year).padStart(4, '0')}/month=${month}/day=${day}/hour=${hour}/`;
}
