/** A number as it was written: 300, 300.0 and 3.0e2 are not equal, though their values are. */
class WrittenNumber {
  readonly text: string;
  readonly value: number;

  constructor(text: string, value: number) {
    this.text = text;
    this.value = value;
  }
}

/** A field of an event: text, a number as it was written, a boolean, null, a list, an object, or absent. */
type Value = unknown;
/** Whether one leaf of an event is what a rule asks for. */
type LeafRule = (leaf: Value) => boolean;

interface FieldRules {
  readonly rules: readonly LeafRule[];
  /** One of the rules is `{"exists": false}`. */
  readonly mayBeAbsent: boolean;
}

/** Whether an object of an event has the fields that a pattern asks for. */
type ObjectRule = (value: Value) => boolean;

/** The names that make a list below `$or` a list of alternatives no longer (Constants.java of aws/event-ruler, read 2026-12). */
const OPERATORS = ['exists', 'prefix', 'suffix', 'equals-ignore-case', 'anything-but', 'numeric'] as const;
/** EventBridge has them, the guide of Lambda's filters does not. */
const UNSUPPORTED = ['cidr', 'wildcard'] as const;
const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};
/** Rules that `anything-but` turns around. */
const EXCLUDED_BY: readonly string[] = ['prefix', 'suffix', 'equals-ignore-case'];
/** A range has a lower and an upper bound. */
const BOUNDS_MAX = 2;

/**
 * A pattern in the syntax of EventBridge, as Lambda's filters use it: equality, `prefix`, `suffix`, `equals-ignore-case`,
 * `anything-but`, `numeric`, `exists` and `$or`. All fields that it names must match; a list in the event matches by one of
 * its elements; fields that it does not name are ignored. Sources: "Control which events Lambda sends to your function",
 * developer guide; "Event patterns", EventBridge user guide; README of aws/event-ruler; read 2026-12.
 */
export interface EventPattern {
  /** Names of the fields at the top, those of alternatives among them. */
  readonly topFields: readonly string[];
  /** @param event read by {@link parseEventJson} */
  matches(event: unknown): boolean;
}

/** Reads a pattern. Throws SyntaxError, which says what is wrong, for text that is not one. */
export function parseEventPattern(text: string): EventPattern {
  const pattern = parseEventJson(text);
  if (!isObject(pattern)) throw new SyntaxError('a pattern is a JSON object');
  return { topFields: topFieldsOf(pattern), matches: objectRule(pattern, '') };
}

/** Reads JSON so that a pattern can match it. Throws SyntaxError for anything else. */
export function parseEventJson(text: string): unknown {
  type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;
  // Node hands the text of each number to a reviver; the types of TypeScript do not know it yet.
  const parse = JSON.parse as (text: string, reviver: Reviver) => unknown;
  return parse(text, (_key, value, context) =>
    typeof value === 'number' ? new WrittenNumber(context?.source ?? String(value), value) : value,
  );
}

function topFieldsOf(pattern: Readonly<Record<string, Value>>): readonly string[] {
  return Object.entries(pattern).flatMap(([name, value]) =>
    isAlternatives(name, value) ? value.flatMap(topFieldsOf) : [name],
  );
}

function objectRule(pattern: Readonly<Record<string, Value>>, path: string): ObjectRule {
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw new SyntaxError(`${path || 'the pattern'} names no field`);
  const rules = entries.map(([name, value]): ObjectRule => {
    const at = path === '' ? name : `${path}.${name}`;
    if (isAlternatives(name, value)) {
      const alternatives = value.map((each) => objectRule(each, at));
      return (object) => alternatives.some((matches) => matches(object));
    }
    const matches = fieldRule(value, at);
    return (object) => matches(isObject(object) ? object[name] : undefined);
  });
  const all: ObjectRule = (value) => rules.every((matches) => matches(value));
  return (value) => (Array.isArray(value) ? value.some(all) : all(value));
}

/** `$or` with two objects and more, whose names are not operators; anything else there is a field of that name. */
function isAlternatives(name: string, value: Value): value is readonly Readonly<Record<string, Value>>[] {
  const operators: readonly string[] = [...OPERATORS, ...UNSUPPORTED];
  return (
    name === '$or' &&
    Array.isArray(value) &&
    value.length >= 2 &&
    value.every((each) => isObject(each) && !Object.keys(each).some((key) => operators.includes(key)))
  );
}

function fieldRule(value: Value, path: string): ObjectRule {
  if (isObject(value)) return objectRule(value, path);
  if (!Array.isArray(value) || value.length === 0) {
    throw new SyntaxError(`${path}: must be an object, or a list of values and rules`);
  }
  const { rules, mayBeAbsent } = fieldRules(value, path);
  return (field) => {
    const leaves = (Array.isArray(field) ? field.flat(Number.POSITIVE_INFINITY) : [field]).filter(isLeaf);
    return leaves.length === 0 ? mayBeAbsent : leaves.some((leaf) => rules.some((matches) => matches(leaf)));
  };
}

function fieldRules(values: readonly Value[], path: string): FieldRules {
  const rules: LeafRule[] = [];
  let mayBeAbsent = false;
  for (const value of values) {
    if (isLeaf(value)) rules.push((leaf) => isSame(leaf, value));
    else if (isObject(value) && value.exists === false && Object.keys(value).length === 1) mayBeAbsent = true;
    else rules.push(operatorRule(value, path));
  }
  return { rules, mayBeAbsent };
}

function operatorRule(rule: Value, path: string): LeafRule {
  const entries = isObject(rule) ? Object.entries(rule) : [];
  const [name, operand] = entries[0] ?? [];
  if (name === undefined || entries.length > 1) throw new SyntaxError(`${path}: a rule has one operator`);
  const wrong = (wanted: string) => new SyntaxError(`${path}: ${name} takes ${wanted}`);
  switch (name) {
    case 'exists':
      if (operand !== true) throw wrong('true or false');
      return () => true;
    case 'prefix':
    case 'suffix':
      return affixRule(name, operand, wrong);
    case 'equals-ignore-case':
      if (typeof operand !== 'string') throw wrong('text');
      return (leaf) => typeof leaf === 'string' && leaf.toLowerCase() === operand.toLowerCase();
    case 'anything-but':
      return anythingBut(operand, path, wrong);
    case 'numeric':
      return numericRule(operand, wrong);
    default:
      throw new SyntaxError(`${path}: ${name} is not supported by the local emulator`);
  }
}

type WrongOperand = (wanted: string) => SyntaxError;

function affixRule(name: 'prefix' | 'suffix', operand: Value, wrong: WrongOperand): LeafRule {
  const has = (text: string, affix: string) =>
    name === 'prefix' ? text.startsWith(affix) : text.endsWith(affix);
  if (typeof operand === 'string') return (leaf) => typeof leaf === 'string' && has(leaf, operand);
  const affix = isObject(operand) ? operand['equals-ignore-case'] : undefined;
  if (typeof affix !== 'string') throw wrong('text, or {"equals-ignore-case": text}');
  return (leaf) => typeof leaf === 'string' && has(leaf.toLowerCase(), affix.toLowerCase());
}

function anythingBut(operand: Value, path: string, wrong: WrongOperand): LeafRule {
  if (isObject(operand)) {
    const [name = ''] = Object.keys(operand);
    if (!EXCLUDED_BY.includes(name)) throw wrong(`values, or a rule by ${EXCLUDED_BY.join(', ')}`);
    const excluded = operatorRule(operand, path);
    return (leaf) => !excluded(leaf);
  }
  const values: readonly Value[] = Array.isArray(operand) ? operand : [operand];
  const isText = values.every((value) => typeof value === 'string');
  const isNumeric = values.every((value) => value instanceof WrittenNumber);
  if (values.length === 0 || !(isText || isNumeric)) throw wrong('texts, or numbers, or one rule');
  return (leaf) => !values.some((value) => isSame(leaf, value));
}

function numericRule(operand: Value, wrong: WrongOperand): LeafRule {
  const parts: readonly Value[] = Array.isArray(operand) ? operand : [];
  if (parts.length === 0 || parts.length % 2 !== 0 || parts.length > 2 * BOUNDS_MAX) {
    throw wrong('one or two comparisons, as [">", 10, "<=", 20]');
  }
  const comparisons: ((value: number) => boolean)[] = [];
  for (let at = 0; at < parts.length; at += 2) {
    const [sign, bound] = [parts[at], parts[at + 1]];
    const compare = typeof sign === 'string' ? COMPARISONS[sign] : undefined;
    if (compare === undefined || !(bound instanceof WrittenNumber)) {
      throw wrong(`comparisons of ${Object.keys(COMPARISONS).join(' ')} with numbers`);
    }
    comparisons.push((value) => compare(value, bound.value));
  }
  return (leaf) => leaf instanceof WrittenNumber && comparisons.every((holds) => holds(leaf.value));
}

function isSame(leaf: Value, wanted: Value): boolean {
  return leaf instanceof WrittenNumber && wanted instanceof WrittenNumber
    ? leaf.text === wanted.text
    : leaf === wanted;
}

function isLeaf(value: Value): boolean {
  return value !== undefined && !isObject(value) && !Array.isArray(value);
}

function isObject(value: Value): value is Readonly<Record<string, Value>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof WrittenNumber)
  );
}
