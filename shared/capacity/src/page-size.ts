/*
 * Bytes of a page's item, by its events and their bytes (line end included). Measured on 2026-11-27 with the projector and the item code of
 * the event store, on 1 to 1,000 events a page of 140 to 995 bytes, as devices of the simulator send them (all kinds, one after the other),
 * with positions and arrivals as Kinesis assigns them:
 *
 *   plain       243 + n × (bytes + 17)                                within 5 %
 *   compressed  184 + 27 × bytes^0.42 + n × 0.075 × (bytes + 10)      within 8 % on the mix, 2.5 % root mean square
 *
 * Of the constants 28 and 16 bytes are the frame in the body (shard, duplicates, earliest arrival), measured on 2026-11-30: 28 as plain text, 13 to
 * 18 compressed, on pages of 10 to 100 events of 140 to 600 bytes.
 *
 * A page's first event costs what its names and constants are (their number grows with the text more slowly than the text, hence the power), each
 * further one what changes: time, counter, position, and about 7.5 % of its readings. One kind alone differs from the mix by up to 13 % at
 * 170 bytes; at 600 bytes a page of 25 took between a half (thermostats, which repeat themselves) and 1.2 times as much (vehicles).
 * Reports of real buses (Austin, 2017-03-21; 148 bytes with speed and route, 245 with all their columns) took 1.2 times as much for each further
 * event, and a page of 25 up to an eighth more; of 170 bytes it is one unit either way.
 *
 * Again: `npm run bench -- page-sizes`.
 */
const PLAIN = { pageBytes: 243, eventBytes: 17 } as const;
const COMPRESSED = { pageBytes: 184, textFactor: 27, textPower: 0.42, share: 0.075, eventBytes: 10 } as const;
export const PAGE_SIZE_SOURCE = 'shared/capacity/src/page-size.ts, measured 2026-11-27';

/** A page's limits: `PAGE_LIMITS` of the device model; a test holds them equal. */
export const PAGE_EVENTS_MAX = 1_000;
export const PAGE_CHARACTERS_MAX = 102_400;

/** A write rounds up to 1 KB ("DynamoDB on-demand pricing", read 2026-11). */
const WRITE_UNIT_BYTES = 1_024;
/** By how much the devices of a fleet differ in what compression leaves of their events: each is as likely. */
const SPREAD = [0.75, 0.875, 1, 1.125, 1.25] as const;

export function units(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES));
}

/** Events of one page at most: a device that sent more of them in a batch gets several. */
export function eventsOfPageMax(eventBytes: number): number {
  return Math.max(1, Math.min(PAGE_EVENTS_MAX, Math.floor(PAGE_CHARACTERS_MAX / eventBytes)));
}

/** Mean bytes of the item that holds this number of events of one device: compressed where that saves a write unit. */
export function pageBytes(eventBytes: number, events: number): number {
  const plain = plainBytes(eventBytes, events);
  const compressed = compressedBytes(eventBytes, events, 1);
  return units(compressed) < units(plain) ? compressed : plain;
}

/** Mean write units of one page, over devices whose events compress unequally. */
export function pageUnits(eventBytes: number, events: number): number {
  const plain = units(plainBytes(eventBytes, events));
  const sum = SPREAD.reduce(
    (total, spread) => total + Math.min(plain, units(compressedBytes(eventBytes, events, spread))),
    0,
  );
  return sum / SPREAD.length;
}

function plainBytes(eventBytes: number, events: number): number {
  return PLAIN.pageBytes + events * (eventBytes + PLAIN.eventBytes);
}

function compressedBytes(eventBytes: number, events: number, spread: number): number {
  const { pageBytes: fixed, textFactor, textPower, share, eventBytes: frame } = COMPRESSED;
  return fixed + textFactor * eventBytes ** textPower + events * spread * share * (eventBytes + frame);
}
