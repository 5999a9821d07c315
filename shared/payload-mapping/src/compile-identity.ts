import type { CountedIdentity, SourceCounter } from '@twinstream/device-model';
import { compileConditions } from './compile-condition.ts';
import { compileValue } from './compile-value.ts';
import type { Formats } from './formats.ts';
import type { IdentitySpec, ValueSpec } from './mapping-document.ts';
import { InvalidDocument, MappingFault } from './mapping-fault.ts';
import { numberOf, type PayloadValue } from './payload-value.ts';
import type { Scope } from './scope.ts';

/** What identifies an event: its own session and counter, or a counter of the source, or nothing. */
export interface Identified {
  readonly identity?: CountedIdentity;
  readonly sourceCounter?: SourceCounter;
}

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
  const { wrapping, session, counter, optional = false } = spec;
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

function ordinal(value: PayloadValue, at: string): number {
  const number = numberOf(value);
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new MappingFault('unmapped-value', at, 'not a whole number from 0 to 2^53 - 1');
}
