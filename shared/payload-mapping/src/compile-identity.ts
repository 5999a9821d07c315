import { hash } from 'node:crypto';
import {
  type CountedIdentity,
  type EventKey,
  KEY_CHARACTERS,
  KEY_WINDOW_EVENTS,
  type SourceCounter,
} from '@twinstream/device-model';
import { compileConditions } from './compile-condition.ts';
import { compileValue } from './compile-value.ts';
import type { Formats } from './formats.ts';
import { CHARACTERS_PER_UNIT } from './limits.ts';
import type { IdentitySpec, ValueSpec } from './mapping-document.ts';
import { InvalidDocument, MappingFault } from './mapping-fault.ts';
import { numberOf, type PayloadValue, textOf } from './payload-value.ts';
import { type Scope, spend } from './scope.ts';

/** What identifies an event: its own session and counter, a counter or a key of the source, its content, or nothing. */
export interface Identified {
  readonly identity?: CountedIdentity;
  readonly sourceCounter?: SourceCounter;
  readonly sourceKey?: EventKey;
  /** Its content is its key: to be hashed when all of its data are there. */
  readonly contentWindow?: KeyWindow;
}

/** In which copies are recognized. */
export type KeyWindow = Omit<EventKey, 'key'>;

const BITS = 32;
const LATE_MAX = 64;
/** Of a short counter. Beyond a quarter of the range, what is late and what is ahead are not told apart. */
const LATE_SHARE = 16;
const LATE_SHARE_MIN = 4;

export function compileIdentity(
  spec: IdentitySpec,
  at: string,
  formats: Formats,
): (scope: Scope) => Identified {
  const { wrapping, session, counter, key, content, optional = false } = spec;
  if (spec.window !== undefined && key === undefined && content === undefined) {
    throw new InvalidDocument(`${at}.window`, 'belongs to a key or to the content');
  }
  if (key !== undefined || content !== undefined) {
    for (const name of ['counter', 'bits', 'lateMax', 'restart'] as const) {
      if (spec[name] !== undefined) throw new InvalidDocument(`${at}.${name}`, 'belongs to a counter');
    }
    return key === undefined ? compileContent(spec, at) : compileKey({ ...spec, key }, at, formats);
  }
  if (wrapping !== undefined) return compileWrapping({ ...spec, wrapping }, at, formats);
  if (session === undefined || counter === undefined) {
    throw new InvalidDocument(at, 'session and counter come together');
  }
  for (const name of ['bits', 'lateMax', 'restart'] as const) {
    if (spec[name] !== undefined) throw new InvalidDocument(`${at}.${name}`, 'belongs to a wrapping counter');
  }
  const values = {
    session: compileValue(session, `${at}.session`, formats),
    counter: compileValue(counter, `${at}.counter`, formats),
  };
  return (scope) => {
    const found = { session: values.session(scope) ?? null, counter: values.counter(scope) ?? null };
    if (optional && found.session === null && found.counter === null) return {};
    return {
      identity: {
        session: ordinal(found.session, `${at}.session`),
        counter: ordinal(found.counter, `${at}.counter`),
      },
    };
  };
}

function compileWrapping(
  spec: IdentitySpec & { readonly wrapping: ValueSpec },
  at: string,
  formats: Formats,
): (scope: Scope) => Identified {
  const { bits = BITS, optional = false } = spec;
  const range = 2 ** bits;
  const { lateMax = Math.min(LATE_MAX, range / LATE_SHARE) } = spec;
  if (spec.counter !== undefined) throw new InvalidDocument(`${at}.counter`, 'belongs to a session');
  if (lateMax > range / LATE_SHARE_MIN) {
    throw new InvalidDocument(`${at}.lateMax`, 'more than a quarter of the range of the counter');
  }
  const value = compileValue(spec.wrapping, `${at}.wrapping`, formats);
  const isRestart = compileConditions(spec.restart, `${at}.restart`, formats);
  return (scope) => {
    const found = value(scope) ?? null;
    if (optional && found === null) return {};
    const counter = ordinal(found, `${at}.wrapping`);
    if (counter >= range) throw new MappingFault('unmapped-value', `${at}.wrapping`, `not below 2^${bits}`);
    const restart = spec.restart !== undefined && isRestart(scope);
    return { sourceCounter: { counter, bits, lateMax, restart } };
  };
}

function windowOf({ window: { events = KEY_WINDOW_EVENTS, seconds } = {} }: IdentitySpec): KeyWindow {
  return seconds === undefined ? { eventsMax: events } : { eventsMax: events, withinMs: seconds * 1_000 };
}

function compileKey(
  spec: IdentitySpec & { readonly key: ValueSpec },
  at: string,
  formats: Formats,
): (scope: Scope) => Identified {
  const value = compileValue(spec.key, `${at}.key`, formats);
  const window = windowOf(spec);
  const { optional = false } = spec;
  return (scope) => {
    const found = value(scope) ?? null;
    if (optional && found === null) return {};
    const text = found === null ? undefined : textOf(found);
    if (text === undefined || text === '') {
      throw new MappingFault(
        'unmapped-value',
        `${at}.key`,
        found === null ? 'missing' : 'not a text, or an empty one',
      );
    }
    spend(scope, 1 + text.length / CHARACTERS_PER_UNIT, `${at}.key`);
    return { sourceKey: { key: keyHash(text), ...window } };
  };
}

function compileContent(spec: IdentitySpec, at: string): (scope: Scope) => Identified {
  if (spec.optional !== undefined) throw new InvalidDocument(`${at}.optional`, 'each event has a content');
  const identified = { contentWindow: windowOf(spec) };
  return () => identified;
}

/** The first 96 bits of the SHA-256 of a text. */
export function keyHash(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, KEY_CHARACTERS);
}

function ordinal(value: PayloadValue, at: string): number {
  const number = numberOf(value);
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new MappingFault('unmapped-value', at, 'not a whole number from 0 to 2^53 - 1');
}
