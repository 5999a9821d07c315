import {
  type DecodedEvent,
  decodeEvent,
  EVENT_LIMITS,
  EVENT_SCHEMA_VERSION,
  eventTimeMs,
  readEvent,
} from '@twinstream/device-model';
import { recordedTimeMs } from './recorded-time.ts';
import { type BadRow, type FlatRow, quoted } from './row.ts';

/** An event of a recording. Where it has no identity, one can be put between `head` and `tail`. */
export interface RecordedEvent {
  readonly deviceId: string;
  readonly type: string;
  readonly time: string;
  readonly timeMs: number;
  /** The identity that the source gave it. */
  readonly identity: { readonly session: number; readonly counter: number } | undefined;
  /** True when the event has no identity and takes one: corrections take none. */
  readonly isUncounted: boolean;
  /** With `tail`, the event as JSON. */
  readonly head: string;
  readonly tail: string;
}

/** Bytes that an identity adds at most: `"session":…,"counter":…,` with two numbers of 16 digits. */
const IDENTITY_BYTES_MAX = 56;
const ORDINAL = /^(?:0|[1-9]\d{0,15})$/;

/** The event that a row is, its time in UTC. `offset` holds for times that name none. */
export function eventOfRow(row: FlatRow, offset: string | undefined): RecordedEvent | BadRow {
  const { line } = row;
  const timeMs = recordedTimeMs(row.time, offset);
  if (timeMs === undefined) return { line, reason: timeFault(row.time) };
  const identity = identityOf(row);
  if (identity !== undefined && 'reason' in identity) return identity;
  const head = {
    v: EVENT_SCHEMA_VERSION,
    deviceId: row.id,
    type: row.type,
    time: new Date(timeMs).toISOString(),
  };
  const checked = readEvent({ ...head, ...identity, data: row.data });
  if ('rejected' in checked) return { line, reason: `${checked.detail} (${quoted(row.id)})` };
  const event: RecordedEvent = {
    deviceId: checked.deviceId,
    type: checked.type,
    time: checked.time,
    timeMs,
    identity,
    isUncounted: identity === undefined,
    head: `${JSON.stringify({ ...head, ...identity }).slice(0, -1)},`,
    tail: `"data":${JSON.stringify(row.data)}}`,
  };
  return tooLarge(event) ? { line, reason: tooLargeReason } : event;
}

/** The event that a line of NDJSON is, byte for byte. */
export function eventOfLine(line: number, text: string): RecordedEvent | BadRow {
  const decoded = decodeEvent(Buffer.from(text));
  if ('rejected' in decoded) return { line, reason: decoded.detail };
  const event = wholeEvent(decoded);
  return tooLarge(event) ? { line, reason: tooLargeReason } : event;
}

function wholeEvent({ event, text }: DecodedEvent): RecordedEvent {
  const isUncounted = event.identity === undefined && event.correction === undefined;
  return {
    deviceId: event.deviceId,
    type: event.type,
    time: event.time,
    timeMs: eventTimeMs(event.time),
    identity: event.identity,
    isUncounted,
    head: '{',
    tail: text.slice(1),
  };
}

/** The event's JSON with an identity put in, unless it has one or takes none. */
export function stamped(event: RecordedEvent, session: number, counter: number): string {
  if (!event.isUncounted) return event.head + event.tail;
  return `${event.head}"session":${session},"counter":${counter},${event.tail}`;
}

const tooLargeReason = `the event is larger than ${EVENT_LIMITS.bytesMax} bytes`;

function tooLarge({ head, tail }: RecordedEvent): boolean {
  const budget = EVENT_LIMITS.bytesMax - IDENTITY_BYTES_MAX - 1;
  // Three bytes of UTF-8 a UTF-16 unit at most: short events need no counting.
  if ((head.length + tail.length) * 3 <= budget) return false;
  return Buffer.byteLength(head) + Buffer.byteLength(tail) > budget;
}

function timeFault(time: string): string {
  return time === ''
    ? 'the time is empty'
    : `the time ${quoted(time)} is not ISO 8601 with an offset, such as 2017-03-21T00:00:31-05:00`;
}

function identityOf(row: FlatRow): { session: number; counter: number } | BadRow | undefined {
  if (row.session === undefined || row.counter === undefined) return undefined;
  if (row.session === '' && row.counter === '') return undefined;
  if (!ORDINAL.test(row.session) || !ORDINAL.test(row.counter)) {
    return { line: row.line, reason: 'session and counter must be whole numbers from 0' };
  }
  return { session: Number(row.session), counter: Number(row.counter) };
}
