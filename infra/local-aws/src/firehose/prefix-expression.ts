import { PREFIX_CHARACTERS_MAX } from './firehose-quotas.ts';

// Sources: "Understand custom prefixes for Amazon S3 objects", developer guide, read 2026-11.
const EXPRESSION = /!\{([^:}]*):?([^}]*)\}/g;
const RANDOM_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const RANDOM_LENGTH = 11;
/** What Firehose adds to a prefix that holds no expression. */
const DEFAULT_TIME = 'yyyy/MM/dd/HH/';

/** What the expressions of a prefix stand for. */
export interface PrefixMoment {
  /** Arrival of the oldest record of the object. */
  readonly timeMs: number;
  /** Draws from [0, 1). */
  readonly random: () => number;
}

/**
 * What is wrong with a pair of prefixes; undefined when nothing is. Without an error prefix the prefix may hold no
 * expression; an error prefix with expressions must name the kind of error, and the prefix must not.
 */
export function prefixFault(
  prefix: string | undefined,
  errorOutputPrefix: string | undefined,
): string | undefined {
  for (const text of [prefix, errorOutputPrefix]) {
    if (text === undefined) continue;
    if (text.length > PREFIX_CHARACTERS_MAX)
      return `a prefix has at most ${PREFIX_CHARACTERS_MAX} characters`;
    const fault = expressionsOf(text)
      .map(expressionFault)
      .find((each) => each !== undefined);
    if (fault !== undefined) return fault;
  }
  const named = (text: string | undefined) =>
    expressionsOf(text ?? '').some(({ value }) => value === 'error-output-type');
  if (named(prefix)) return 'Prefix cannot contain !{firehose:error-output-type}';
  if (errorOutputPrefix === undefined && expressionsOf(prefix ?? '').length > 0) {
    return 'Prefix cannot contain expressions when ErrorOutputPrefix is null';
  }
  if (expressionsOf(errorOutputPrefix ?? '').length > 0 && !named(errorOutputPrefix)) {
    return 'ErrorOutputPrefix must contain !{firehose:error-output-type} when it contains expressions';
  }
  return undefined;
}

/** The prefix of one object, its expressions evaluated in UTC. */
export function evaluatePrefix(prefix: string, moment: PrefixMoment): string {
  if (expressionsOf(prefix).length === 0) return prefix + formatTime(DEFAULT_TIME, moment.timeMs);
  return prefix.replace(EXPRESSION, (_whole, namespace: string, value: string) =>
    namespace === 'timestamp' ? formatTime(value, moment.timeMs) : randomString(moment.random),
  );
}

interface Expression {
  readonly text: string;
  readonly namespace: string;
  readonly value: string;
}

function expressionsOf(prefix: string): readonly Expression[] {
  return [...prefix.matchAll(EXPRESSION)].map(([text, namespace = '', value = '']) => ({
    text,
    namespace,
    value,
  }));
}

function expressionFault({ text, namespace, value }: Expression): string | undefined {
  if (namespace === 'timestamp') {
    const unknown = timeTokens(value).find((token) => token.kind === 'unknown');
    if (unknown) return `${text}: ${unknown.text} is not a time pattern that the local emulator supports`;
    return value === '' ? `${text}: the pattern is empty` : undefined;
  }
  if (namespace === 'firehose' && (value === 'random-string' || value === 'error-output-type'))
    return undefined;
  return `${text} is not an expression that the local emulator supports`;
}

type TimeToken = { readonly kind: 'field' | 'literal' | 'unknown'; readonly text: string };

/** Letters of java.time.format.DateTimeFormatter that make sense in a path, by the length they may have. */
const FIELDS: Readonly<Record<string, (time: Date) => string>> = {
  yyyy: (time) => pad(time.getUTCFullYear(), 4),
  uuuu: (time) => pad(time.getUTCFullYear(), 4),
  yy: (time) => pad(time.getUTCFullYear() % 100, 2),
  MM: (time) => pad(time.getUTCMonth() + 1, 2),
  M: (time) => String(time.getUTCMonth() + 1),
  dd: (time) => pad(time.getUTCDate(), 2),
  d: (time) => String(time.getUTCDate()),
  HH: (time) => pad(time.getUTCHours(), 2),
  H: (time) => String(time.getUTCHours()),
  mm: (time) => pad(time.getUTCMinutes(), 2),
  m: (time) => String(time.getUTCMinutes()),
  ss: (time) => pad(time.getUTCSeconds(), 2),
  s: (time) => String(time.getUTCSeconds()),
  SSS: (time) => pad(time.getUTCMilliseconds(), 3),
};

/** Runs of one letter are fields, text in single quotes and everything else is literal; two quotes are one. */
function timeTokens(pattern: string): readonly TimeToken[] {
  return [...pattern.matchAll(/'((?:[^']|'')*)'|(([A-Za-z])\3*)|[^A-Za-z']+|'/g)].map(
    ([whole, quoted, letters]) => {
      if (quoted !== undefined)
        return { kind: 'literal', text: quoted === '' ? "'" : quoted.replaceAll("''", "'") };
      if (letters === undefined) return { kind: whole === "'" ? 'unknown' : 'literal', text: whole };
      return { kind: letters in FIELDS ? 'field' : 'unknown', text: letters };
    },
  );
}

function formatTime(pattern: string, timeMs: number): string {
  const time = new Date(timeMs);
  return timeTokens(pattern)
    .map(({ kind, text }) => (kind === 'field' ? (FIELDS[text]?.(time) ?? text) : text))
    .join('');
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

function randomString(random: () => number): string {
  return Array.from({ length: RANDOM_LENGTH }, () =>
    RANDOM_CHARACTERS.charAt(Math.floor(random() * RANDOM_CHARACTERS.length)),
  ).join('');
}
