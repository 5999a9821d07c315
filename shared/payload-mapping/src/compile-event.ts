import {
  type DecodedEvent,
  decodeParsed,
  EVENT_LIMITS,
  EVENT_SCHEMA_VERSION,
  type Rejection,
  rejection,
} from '@twinstream/device-model';
import { compileValue } from './compile-value.ts';
import type { Formats } from './formats.ts';
import type { EventSpec, IdentitySpec } from './mapping-document.ts';
import { MappingFault } from './mapping-fault.ts';
import type { Access } from './path.ts';
import { isPayloadObject, isRawNumber, numberOf, type PayloadValue, textOf } from './payload-value.ts';
import type { Scope } from './scope.ts';

/** The members of an event before it is checked. */
export interface EventParts {
  readonly deviceId: string;
  readonly type: string;
  readonly time: string;
  readonly session?: PayloadValue;
  readonly counter?: PayloadValue;
  readonly data: { [name: string]: PayloadValue };
}

/** Whether two items belong to one event, apart from their data. */
export function isSameHead(a: EventParts, b: EventParts): boolean {
  return (
    a.deviceId === b.deviceId &&
    a.type === b.type &&
    a.time === b.time &&
    a.session === b.session &&
    a.counter === b.counter
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
  const data = spec.data === undefined ? undefined : compileValue(spec.data, `${at}.data`, formats);
  return (scope) => ({
    deviceId: deviceId(scope),
    type: type(scope),
    time: time(scope),
    ...identity?.(scope),
    data: data === undefined ? {} : dataOf(data(scope), `${at}.data`),
  });
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

function dataOf(value: PayloadValue | undefined, at: string): { [name: string]: PayloadValue } {
  if (isPayloadObject(value)) return { ...value };
  throw new MappingFault('unmapped-value', at, value === undefined ? 'missing' : 'not an object');
}

function compileIdentity(
  spec: IdentitySpec,
  at: string,
  formats: Formats,
): (scope: Scope) => Pick<EventParts, 'session' | 'counter'> {
  const session = compileValue(spec.session, `${at}.session`, formats);
  const counter = compileValue(spec.counter, `${at}.counter`, formats);
  return (scope) => {
    const values = { session: session(scope) ?? null, counter: counter(scope) ?? null };
    if (spec.optional === true && values.session === null && values.counter === null) return {};
    return {
      session: ordinal(values.session, `${at}.session`),
      counter: ordinal(values.counter, `${at}.counter`),
    };
  };
}

function ordinal(value: PayloadValue, at: string): number {
  const number = numberOf(value);
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new MappingFault('unmapped-value', at, 'not a whole number from 0 to 2^53 - 1');
}

/** The event as its text will be stored: with the name and version of the mapping, and numbers in the device's digits. */
export function assembleEvent(parts: EventParts, stamp: PayloadValue): DecodedEvent | Rejection {
  const { deviceId, type, time, data, ...identity } = parts;
  const event = { v: EVENT_SCHEMA_VERSION, deviceId, type, time, ...identity, mapping: stamp, data };
  const text = JSON.stringify(event);
  if (byteLengthExceeds(text, EVENT_LIMITS.bytesMax)) {
    return rejection('too-large', `the mapped event has more than ${EVENT_LIMITS.bytesMax} bytes`);
  }
  return decodeParsed(holdsRawNumber(data) ? JSON.parse(text) : event, text);
}

function byteLengthExceeds(text: string, bytesMax: number): boolean {
  // A character takes three bytes at most, a pair of surrogates four.
  return text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax;
}

/** Whether a number is in its own digits anywhere: the event's data have doubles, its text the digits. */
function holdsRawNumber(value: PayloadValue): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (isRawNumber(value)) return true;
  for (const member of Object.values(value)) if (holdsRawNumber(member)) return true;
  return false;
}
