import { compilePattern } from './bounded-pattern.ts';
import { flattenMembers, pickMembers, renameMembers } from './convert-members.ts';
import type { Formats } from './formats.ts';
import { CHARACTERS_PER_UNIT, UNITS_PER_NUMBER } from './limits.ts';
import type { StepSpec } from './mapping-document.ts';
import { InvalidDocument, MappingFault } from './mapping-fault.ts';
import { type ParsedJson, parseJsonText } from './parse-json.ts';
import { type Decode, isTooDeep } from './payload-format.ts';
import {
  doubleOf,
  isPayloadObject,
  numberOf,
  type PayloadObject,
  type PayloadValue,
  textOf,
} from './payload-value.ts';
import { type Scope, spend } from './scope.ts';
import { epochTime, isoTime } from './time-value.ts';

/** Converts a value that is there; undefined where the step finds nothing in it. Throws MappingFault where it cannot. */
export type Convert = (value: PayloadValue, scope: Scope) => PayloadValue | undefined;

type StepObject = Exclude<StepSpec, string>;
type StepName = keyof StepObject;
type Compiler<Name extends StepName> = (
  spec: NonNullable<StepObject[Name]>,
  at: string,
  formats: Formats,
) => Convert;

export function compileStep(spec: StepSpec, at: string, formats: Formats): Convert {
  if (typeof spec === 'string') return WORDS[spec](`${at}.${spec}`);
  for (const name of Object.keys(spec) as StepName[]) return compileNamed(name, spec, at, formats);
  throw new InvalidDocument(at, 'a step has no name');
}

function compileNamed<Name extends StepName>(
  name: Name,
  spec: StepObject,
  at: string,
  formats: Formats,
): Convert {
  const compile: Compiler<Name> = COMPILERS[name];
  return compile(spec[name] as NonNullable<StepObject[Name]>, `${at}.${name}`, formats);
}

function unmapped(at: string, detail: string): MappingFault {
  return new MappingFault('unmapped-value', at, detail);
}

function textAt(value: PayloadValue, scope: Scope, at: string): string {
  const text = textOf(value);
  if (text === undefined) throw unmapped(at, 'not a text');
  spend(scope, 1 + text.length / CHARACTERS_PER_UNIT, at);
  return text;
}

const TRUE: ReadonlySet<string> = new Set(['true', '1', 'on', 'yes']);
const FALSE: ReadonlySet<string> = new Set(['false', '0', 'off', 'no']);

const WORDS: Readonly<Record<Extract<StepSpec, string>, (at: string) => Convert>> = {
  text: (at) => (value, scope) => textAt(value, scope, at),
  trim: (at) => (value, scope) => textAt(value, scope, at).trim(),
  lowercase: (at) => (value, scope) => textAt(value, scope, at).toLowerCase(),
  uppercase: (at) => (value, scope) => textAt(value, scope, at).toUpperCase(),
  number: (at) => (value) => {
    const number = numberOf(value);
    if (number === undefined) throw unmapped(at, 'not a number');
    return number;
  },
  boolean: (at) => (value, scope) => {
    const word = textAt(value, scope, at).trim().toLowerCase();
    if (TRUE.has(word)) return true;
    if (FALSE.has(word)) return false;
    throw unmapped(at, 'not true, false, 1, 0, on, off, yes or no');
  },
  json: (at) => (value, scope) => parsedJson(textAt(value, scope, at), scope, at),
};

function parsedJson(text: string, scope: Scope, at: string): PayloadValue {
  let parsed: ParsedJson;
  try {
    parsed = parseJsonText(text);
  } catch {
    throw unmapped(at, 'not JSON');
  }
  const { value, numbersRead } = parsed;
  spend(scope, numbersRead * UNITS_PER_NUMBER, at);
  if (isTooDeep(value, 0)) throw new MappingFault('mapping-limit', at, 'nested too deep');
  return value;
}

function objectAt(value: PayloadValue, scope: Scope, at: string): PayloadObject {
  if (!isPayloadObject(value)) throw unmapped(at, 'not an object');
  spend(scope, Object.keys(value).length, at);
  return value;
}

const COMPILERS: { readonly [Name in StepName]: Compiler<Name> } = {
  split:
    ({ by, index }, at) =>
    (value, scope) =>
      textAt(value, scope, at).split(by).at(index),
  match: ({ pattern, group }, at) => {
    const compiled = compilePattern(pattern, at);
    return (value, scope) => {
      const text = textAt(value, scope, at);
      spend(scope, compiled.work(text), at);
      const found = compiled.exec(text);
      return found?.[group ?? (found.length > 1 ? 1 : 0)];
    };
  },
  scale: ({ factor = 1, offset = 0, decimals }, at) => {
    // 3300 · 0.001 is 3.3000000000000003, 3300 / 1000 is 3.3.
    const divisor = Math.round(1 / factor);
    const isDivision = 1 / divisor === factor;
    return (value) => {
      const number = doubleOf(value);
      if (number === undefined) throw unmapped(at, 'not a number');
      const scaled = (isDivision ? number / divisor : number * factor) + offset;
      if (!Number.isFinite(scaled)) throw unmapped(at, 'not a finite number');
      return decimals === undefined ? scaled : Number(scaled.toFixed(decimals));
    };
  },
  enum: ({ values, otherwise }, at) => {
    const byText = new Map(Object.entries(values) as [string, PayloadValue][]);
    return (value, scope) => {
      const found = byText.get(textAt(value, scope, at)) ?? (otherwise as PayloadValue | undefined);
      if (found === undefined) throw unmapped(at, 'not one of the values');
      return found;
    };
  },
  time:
    ({ unit, offset, relativeBelow }, at) =>
    (value, scope) => {
      spend(scope, 2, at);
      const seconds = relativeBelow === undefined ? undefined : doubleOf(value);
      const arrival = scope.record.arrivalTime;
      if (seconds !== undefined && relativeBelow !== undefined && seconds < relativeBelow) {
        const time = epochTime(Number(arrival) + Math.round(seconds * MILLISECONDS), 'milliseconds');
        if (time !== undefined) return time;
      }
      const time =
        unit === 'iso' || (unit === 'by-magnitude' && numberOf(value) === undefined)
          ? isoTime(value, offset)
          : epochTime(value, unit);
      if (time === undefined)
        throw unmapped(at, unit === 'iso' ? 'not ISO 8601 with an offset' : 'not a time');
      return time;
    },
  decode: ({ from, to }, at, formats) => {
    const decode = decoderTo(to, at, formats);
    return (value, scope) => decode(bytesOf(textAt(value, scope, at), from, at), scope);
  },
  integer:
    ({ offset, bytes, littleEndian = false, signed = false }, at) =>
    (value, scope) => {
      const buffer = bytesOf(textAt(value, scope, at), 'hex', at);
      if (offset + bytes > buffer.length) throw unmapped(at, 'beyond the end of the bytes');
      if (littleEndian) return signed ? buffer.readIntLE(offset, bytes) : buffer.readUIntLE(offset, bytes);
      return signed ? buffer.readIntBE(offset, bytes) : buffer.readUIntBE(offset, bytes);
    },
  pick: (names, at) => {
    const picked = new Set(names);
    return (value, scope) => pickMembers(objectAt(value, scope, at), picked, true);
  },
  drop: (names, at) => {
    const dropped = new Set(names);
    return (value, scope) => pickMembers(objectAt(value, scope, at), dropped, false);
  },
  rename: (names, at) => {
    const renamed = new Map(Object.entries(names));
    return (value, scope) => renameMembers(objectAt(value, scope, at), renamed);
  },
  flatten: (separator, at) => (value, scope) =>
    flattenMembers(scope, objectAt(value, scope, at), separator, at),
};

const MILLISECONDS = 1_000;

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const HEX = /^(?:[0-9A-Fa-f]{2})*$/;

function bytesOf(text: string, from: 'base64' | 'hex', at: string): Buffer {
  const clean = text.trim();
  if (!(from === 'hex' ? HEX : BASE64).test(clean)) throw unmapped(at, `not ${from}`);
  return Buffer.from(clean, from);
}

function decoderTo(
  to: NonNullable<StepObject['decode']>['to'],
  at: string,
  formats: Formats,
): (bytes: Buffer, scope: Scope) => PayloadValue | undefined {
  if (to === 'hex' || to === 'base64') return (bytes) => bytes.toString(to);
  if (to === 'text') {
    const utf8 = new TextDecoder('utf-8', { fatal: true });
    return (bytes) => {
      try {
        return utf8.decode(bytes);
      } catch {
        throw unmapped(at, 'not UTF-8');
      }
    };
  }
  const decode: Decode = formats.decoder(to, false, at);
  return (bytes) => {
    const payloads = decode(bytes);
    if ('undecodable' in payloads) throw new MappingFault('undecodable-payload', at, payloads.undecodable);
    return payloads[0];
  };
}
