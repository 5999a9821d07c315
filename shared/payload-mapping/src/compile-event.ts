import {
  type DecodedEvent,
  decodeParsed,
  EVENT_LIMITS,
  EVENT_SCHEMA_VERSION,
  type EventKey,
  keyMember,
  parseExactJson,
  type Rejection,
  rejection,
  type SourceCounter,
} from '@twinstream/device-model';
import { compileIdentity, type Identified, keyHash } from './compile-identity.ts';
import { compileValue } from './compile-value.ts';
import type { Formats } from './formats.ts';
import type { EventSpec } from './mapping-document.ts';
import { InvalidDocument, MappingFault } from './mapping-fault.ts';
import type { Access } from './path.ts';
import {
  isPayloadArray,
  isPayloadObject,
  isRawNumber,
  type PayloadObject,
  type PayloadValue,
  textOf,
} from './payload-value.ts';
import type { Scope } from './scope.ts';

/** The members of an event before it is checked. */
export interface EventParts {
  readonly deviceId: string;
  readonly type: string;
  readonly time: string;
  /** Whether the mapping says a time, and does not take the arrival. */
  readonly hasTime: boolean;
  readonly identified: Identified;
  readonly data: PayloadObject;
}

const NOT_IDENTIFIED: Identified = {};

/** Whether two items belong to one event, apart from their data. */
export function isSameHead(a: EventParts, b: EventParts): boolean {
  return (
    a.deviceId === b.deviceId &&
    a.type === b.type &&
    a.time === b.time &&
    a.identified.identity?.session === b.identified.identity?.session &&
    a.identified.identity?.counter === b.identified.identity?.counter &&
    a.identified.sourceCounter?.counter === b.identified.sourceCounter?.counter &&
    a.identified.sourceKey?.key === b.identified.sourceKey?.key
  );
}

export function compileEvent(spec: EventSpec, at: string, formats: Formats): (scope: Scope) => EventParts {
  const deviceId = text(compileValue(spec.deviceId, `${at}.deviceId`, formats), `${at}.deviceId`);
  const type =
    spec.type === undefined
      ? () => 'reported'
      : text(compileValue(spec.type, `${at}.type`, formats), `${at}.type`);
  const time =
    spec.time === undefined
      ? arrivalTime
      : text(compileValue(spec.time, `${at}.time`, formats), `${at}.time`);
  const identity = spec.identity && compileIdentity(spec.identity, `${at}.identity`, formats);
  const hasTime = spec.time !== undefined;
  if (spec.identity?.content === true && !hasTime && spec.identity.window?.seconds === undefined) {
    const why = 'equal readings without a time of the device are copies only for some seconds: set `seconds`';
    throw new InvalidDocument(`${at}.identity.window`, why);
  }
  const data = spec.data === undefined ? undefined : compileValue(spec.data, `${at}.data`, formats);
  const dataAt = `${at}.data`;
  return (scope) => {
    return {
      deviceId: deviceId(scope),
      type: type(scope),
      time: time(scope),
      hasTime,
      identified: identity === undefined ? NOT_IDENTIFIED : identity(scope),
      data: data === undefined ? {} : dataOf(data(scope), dataAt),
    };
  };
}

function text(access: Access, at: string): (scope: Scope) => string {
  return (scope) => {
    const value = access(scope);
    const found = textOf(value);
    if (found !== undefined) return found;
    throw new MappingFault('unmapped-value', at, value === undefined ? 'missing' : 'not a text');
  };
}

function arrivalTime({ record }: Scope): string {
  return new Date(Number(record.arrivalTime)).toISOString();
}

function dataOf(value: PayloadValue | undefined, at: string): PayloadObject {
  if (isPayloadObject(value)) return value;
  throw new MappingFault('unmapped-value', at, value === undefined ? 'missing' : 'not an object');
}

/** An event with its text, and what its identity is to be derived from. */
export interface AssembledEvent extends DecodedEvent {
  /** The source's own counter: the event's session and counter are derived from it when it is accepted. */
  readonly sourceCounter?: SourceCounter;
}

/**
 * The event as its text will be stored: with the name and version of the mapping, and numbers in the device's digits.
 *
 * @param mapping the member that says which mapping made it
 */
export function assembleEvent(parts: EventParts, mapping: object): AssembledEvent | Rejection {
  const { sourceCounter } = parts.identified;
  const event = eventOf(parts, mapping);
  const text = JSON.stringify(event);
  if (byteLengthExceeds(text, EVENT_LIMITS.bytesMax)) {
    return rejection('too-large', `the mapped event has more than ${EVENT_LIMITS.bytesMax} bytes`);
  }
  const decoded = decodeParsed(readsOtherwise(parts.data) ? parseExactJson(text) : event, text);
  return 'rejected' in decoded || sourceCounter === undefined ? decoded : { ...decoded, sourceCounter };
}

/** The key of an event whose source does not count: its source's, or a hash of what it says. */
function sourceKeyOf({ identified, type, time, hasTime, data }: EventParts): EventKey | undefined {
  const { sourceKey, contentWindow } = identified;
  if (contentWindow === undefined) return sourceKey;
  return { key: keyHash(JSON.stringify([type, hasTime ? time : null, data])), ...contentWindow };
}

/** Written out, since a spread for every event takes longer. */
function eventOf(parts: EventParts, mapping: object): object {
  const { deviceId, type, time, data, identified } = parts;
  const v = EVENT_SCHEMA_VERSION;
  const { identity, sourceCounter } = identified;
  if (identity !== undefined) {
    const { session, counter } = identity;
    return { v, deviceId, type, time, session, counter, mapping, data };
  }
  if (sourceCounter !== undefined) {
    return { v, deviceId, type, time, mapping, source: { counter: sourceCounter.counter }, data };
  }
  const key = sourceKeyOf(parts);
  return key === undefined
    ? { v, deviceId, type, time, mapping, data }
    : { v, deviceId, type, time, mapping, source: keyMember(key), data };
}

function byteLengthExceeds(text: string, bytesMax: number): boolean {
  // A character takes three bytes at most, a pair of surrogates four.
  return text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax;
}

/**
 * Whether a number anywhere is read from its JSON as another value: one in its own digits and a whole number beyond 2^53 - 1
 * as a text, -0 as 0.
 */
function readsOtherwise(value: PayloadValue): boolean {
  if (typeof value === 'number') {
    return value === 0 ? Object.is(value, -0) : Number.isInteger(value) && !Number.isSafeInteger(value);
  }
  if (typeof value !== 'object' || value === null) return false;
  if (isRawNumber(value)) return true;
  if (isPayloadArray(value)) return value.some(readsOtherwise);
  for (const name in value) if (readsOtherwise(value[name] ?? null)) return true;
  return false;
}
