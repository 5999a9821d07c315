import { MAPPING_LIMITS, RECORD_LIMITS } from './limits.ts';
import { InvalidDocument } from './mapping-fault.ts';

/** Quantifiers whose end the text alone does not decide: each may try every length. */
const AMBIGUOUS_QUANTIFIERS_MAX = 2;
/** Ways through a pattern: each alternative and each optional group doubles them. */
const CHOICES_MAX = 5;
/** Steps of the engine in one unit of work: 5 ns each, measured on one core in 2026. */
const STEPS_PER_UNIT = 20;

/** A regular expression that matches a whole text, with a bound on its time. */
export interface BoundedPattern {
  /** Groups of the match, the whole text first; undefined where it does not match. */
  exec(text: string): readonly (string | undefined)[] | undefined;
  /** Units of work of matching this text, at worst. */
  work(text: string): number;
}

/** A literal, an escape, a class or a dot; then anything else. */
const TOKEN =
  /(?<atom>\[\^?\]?(?:[^\]\\]|\\.)*\]|\\[dDwWsStnrfv]|\\[^a-zA-Z0-9]|[^\\[\](){}?*+|^$.]|\.)|(?<open>\((?:\?:|\?<[A-Za-z]\w*>)?)|(?<close>\)\??)|(?<quantifier>(?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})\??)|(?<choice>\|)|(?<anchor>[\^$])/y;

/**
 * Compiles a pattern of a subset without catastrophic backtracking: quantifiers stand on single characters and classes
 * alone (a group may only be optional), there are no back references and no look-around, and at most two quantifiers
 * are followed by something they match themselves. Input is at most 256 characters, and the work of a match is charged
 * to its record before it is tried. Throws InvalidDocument for any other pattern.
 */
export function compilePattern(source: string, at: string): BoundedPattern {
  if (source.length > MAPPING_LIMITS.patternCharactersMax) {
    throw new InvalidDocument(at, `a pattern has at most ${MAPPING_LIMITS.patternCharactersMax} characters`);
  }
  const { ambiguous, choices } = measure(source, at);
  if (ambiguous > AMBIGUOUS_QUANTIFIERS_MAX) {
    throw new InvalidDocument(
      at,
      `more than ${AMBIGUOUS_QUANTIFIERS_MAX} quantifiers are followed by what they match`,
    );
  }
  if (choices > CHOICES_MAX) {
    throw new InvalidDocument(at, `more than ${CHOICES_MAX} alternatives and optional groups`);
  }
  let pattern: RegExp;
  try {
    pattern = new RegExp(`^(?:${source})$`, 'su');
  } catch {
    throw new InvalidDocument(at, 'not a regular expression');
  }
  const lengthMax = RECORD_LIMITS.patternInputCharactersMax;
  return {
    exec: (text) => (text.length > lengthMax ? undefined : (pattern.exec(text) ?? undefined)),
    work: (text) =>
      Math.ceil(stepsMax(Math.min(text.length, lengthMax), ambiguous, choices) / STEPS_PER_UNIT),
  };
}

/** Ways to share a text among the ambiguous quantifiers, by the choices, by a walk over the text for each of them. */
function stepsMax(length: number, ambiguous: number, choices: number): number {
  const ways = [1, length + 1, ((length + 1) * (length + 2)) / 2][ambiguous] ?? Number.POSITIVE_INFINITY;
  return ways * 2 ** choices * (length + 1);
}

interface Token {
  readonly kind: string;
  readonly text: string;
}

function tokensOf(source: string, at: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const from = TOKEN.lastIndex;
    const groups = TOKEN.exec(source)?.groups;
    const found = Object.entries(groups ?? {}).find(([, text]) => text !== undefined);
    if (found === undefined) {
      throw new InvalidDocument(at, `character ${from + 1} of the pattern is not supported`);
    }
    tokens.push({ kind: found[0], text: found[1] ?? '' });
  }
  return tokens;
}

function measure(source: string, at: string): { readonly ambiguous: number; readonly choices: number } {
  const tokens = tokensOf(source, at);
  let ambiguous = 0;
  let choices = 0;
  for (const [index, { kind, text }] of tokens.entries()) {
    if (kind === 'choice' || text === ')?') choices += 1;
    if (kind !== 'quantifier') continue;
    const isFixed = /^\{\d+\}$/.test(text);
    const before = tokens[index - 1];
    if (before?.kind !== 'atom') {
      throw new InvalidDocument(at, 'a quantifier must follow one character or class, not a group');
    }
    if (!isFixed && !isDecided(before.text, tokens.slice(index + 1))) ambiguous += 1;
  }
  return { ambiguous, choices };
}

/** Whether what follows a quantifier decides its end: the end of the pattern, or a literal that the atom does not match. */
function isDecided(atom: string, rest: readonly Token[]): boolean {
  const next = rest.find(({ kind, text }) => kind !== 'close' || text === ')?');
  if (next === undefined) return true;
  if (next.kind !== 'atom' || next.text.startsWith('[') || next.text === '.') return false;
  if (/^\\[a-zA-Z]/.test(next.text)) return false;
  const nextQuantifier = rest[rest.indexOf(next) + 1];
  if (nextQuantifier?.kind === 'quantifier' && /^[*?{]/.test(nextQuantifier.text)) return false;
  const literal = next.text.startsWith('\\') ? next.text.slice(1) : next.text;
  try {
    return !new RegExp(`^${atom}$`, 'su').test(literal);
  } catch {
    return false;
  }
}
