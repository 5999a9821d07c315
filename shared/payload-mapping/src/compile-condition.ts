import { compilePattern } from './bounded-pattern.ts';
import { compileValue } from './compile-value.ts';
import type { Formats } from './formats.ts';
import type { ConditionSpec } from './mapping-document.ts';
import { MappingFault } from './mapping-fault.ts';
import type { Access } from './path.ts';
import { isPayloadArray, isPayloadObject, isRawNumber, type PayloadValue, textOf } from './payload-value.ts';
import { type Scope, spend } from './scope.ts';

export type Test = (scope: Scope) => boolean;

/** All conditions as one test; true where there are none. */
export function compileConditions(
  specs: readonly ConditionSpec[] | undefined,
  at: string,
  formats: Formats,
): Test {
  const tests = (specs ?? []).map((spec, index) => compileCondition(spec, `${at}[${index}]`, formats));
  const [only, ...others] = tests;
  if (only === undefined) return () => true;
  if (others.length === 0) return only;
  return (scope) => tests.every((test) => test(scope));
}

function compileCondition(spec: ConditionSpec, at: string, formats: Formats): Test {
  const value = compileValue(spec.value, `${at}.value`, formats);
  const holds = compileTest(spec, at);
  const expected = spec.not !== true;
  return (scope) => {
    spend(scope, 1, at);
    return holds(valueOrNone(value, scope), scope) === expected;
  };
}

/** A value that cannot be made is none: a condition does not reject a record that another rule may be for. */
function valueOrNone(value: Access, scope: Scope): PayloadValue | undefined {
  try {
    return value(scope);
  } catch (error) {
    if (error instanceof MappingFault && error.reason !== 'mapping-limit') return undefined;
    throw error;
  }
}

type Holds = (value: PayloadValue | undefined, scope: Scope) => boolean;

function compileTest(spec: ConditionSpec, at: string): Holds {
  const { exists, matches, startsWith, is } = spec;
  if (exists !== undefined) return (value) => (value !== undefined) === exists;
  if (spec.in !== undefined) {
    const values = spec.in;
    return (value) => values.some((each) => isEqual(each, value));
  }
  if (startsWith !== undefined) return (value) => typeof value === 'string' && value.startsWith(startsWith);
  if (is !== undefined) return (value) => value !== undefined && kindOf(value) === is;
  if (matches !== undefined) {
    const pattern = compilePattern(matches, `${at}.matches`);
    return (value, scope) => {
      const text = textOf(value);
      if (text === undefined) return false;
      spend(scope, pattern.work(text), at);
      return pattern.exec(text) !== undefined;
    };
  }
  return (value) => isEqual(spec.equals, value);
}

/**
 * Compares as deep as the document's own value reaches. A number that a double does not hold is equal to the text of its
 * digits, as which the state holds it; -0 is 0.
 */
function isEqual(expected: unknown, value: PayloadValue | undefined): boolean {
  if (isRawNumber(value)) return expected === value.rawJSON;
  if (typeof expected !== 'object' || expected === null) return expected === value;
  if (Array.isArray(expected)) {
    return (
      isPayloadArray(value) &&
      value.length === expected.length &&
      expected.every((each, index) => isEqual(each, value[index]))
    );
  }
  if (!isPayloadObject(value)) return false;
  const members = Object.entries(expected);
  return (
    members.length === Object.keys(value).length &&
    members.every(([name, each]) => Object.hasOwn(value, name) && isEqual(each, value[name]))
  );
}

function kindOf(value: PayloadValue): ConditionSpec['is'] {
  if (value === null) return 'null';
  if (isPayloadArray(value)) return 'array';
  if (isPayloadObject(value)) return 'object';
  if (typeof value === 'number' || isRawNumber(value)) return 'number';
  return typeof value === 'string' ? 'text' : 'boolean';
}
