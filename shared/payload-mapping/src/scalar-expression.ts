import { compile, type JSONQuery, parse } from '@jsonquerylang/jsonquery';
import { MAPPING_LIMITS } from './limits.ts';
import { InvalidDocument, MappingFault } from './mapping-fault.ts';
import type { Access } from './path.ts';
import { isRawNumber, type PayloadValue } from './payload-value.ts';
import { spend } from './scope.ts';

/** Functions whose time depends on the lengths of texts alone. None runs over arrays, takes a pattern, or repeats anything. */
const FUNCTIONS: ReadonlySet<string> = new Set([
  ...['get', 'if', 'eq', 'gt', 'gte', 'lt', 'lte', 'ne', 'and', 'or', 'not'],
  ...['add', 'subtract', 'multiply', 'divide', 'mod', 'abs', 'round', 'number', 'string', 'substring'],
]);
/** Characters of a text that an expression may read: so no text that it makes is longer than the expression times this. */
const TEXT_CHARACTERS_MAX = 1_024;

class NotScalar extends Error {
  constructor(message = 'reads what is not a short text, number or boolean') {
    super(message);
  }
}

/** Reads a member: texts, numbers and booleans alone, so that no comparison walks through arrays or objects. */
function getScalar(...names: readonly unknown[]): (data: unknown) => unknown {
  return (data) => {
    let value = data;
    for (const name of names) {
      const isOwn = typeof value === 'object' && value !== null && Object.hasOwn(value, String(name));
      value = isOwn ? Reflect.get(value as object, String(name)) : null;
    }
    if (isRawNumber(value as PayloadValue)) {
      const { rawJSON } = value as { readonly rawJSON: string };
      // Whole numbers may be ids: those that differ beyond 2^53 would be one.
      if (/^-?\d+$/.test(rawJSON)) throw new NotScalar('reads a whole number that a double does not hold');
      return Number(rawJSON);
    }
    if (typeof value === 'object' && value !== null) throw new NotScalar();
    if (typeof value === 'string' && value.length > TEXT_CHARACTERS_MAX) throw new NotScalar();
    return value;
  };
}

/**
 * Compiles an expression (JSON Query) over the item: arithmetic, comparisons and `if` of texts, numbers and booleans. Throws
 * InvalidDocument for one that does not parse or calls anything else.
 */
export function compileExpression(source: string, at: string): Access {
  let query: JSONQuery;
  try {
    query = parse(source);
  } catch {
    throw new InvalidDocument(at, 'not a JSON Query expression');
  }
  const calls = countCalls(query, 0, at);
  const evaluate = compile(query, { functions: { get: getScalar } });
  return (scope) => {
    spend(scope, calls, at);
    let value: unknown;
    try {
      value = evaluate(scope.item);
    } catch (error) {
      const detail = error instanceof NotScalar ? error.message : 'failed';
      throw new MappingFault('unmapped-value', at, `the expression ${detail}`);
    }
    if (value === null || value === undefined) return undefined;
    if (typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) {
      return value as PayloadValue;
    }
    throw new MappingFault('unmapped-value', at, 'the expression is not a text, finite number or boolean');
  };
}

function countCalls(query: JSONQuery, depth: number, at: string): number {
  if (!Array.isArray(query)) {
    if (typeof query === 'object' && query !== null)
      throw new InvalidDocument(at, 'the expression makes an object');
    return 1;
  }
  const [name, ...operands] = query;
  if (typeof name !== 'string' || !FUNCTIONS.has(name)) {
    throw new InvalidDocument(
      at,
      `the expression calls ${String(name)}; allowed: ${[...FUNCTIONS].join(' ')}`,
    );
  }
  if (depth >= MAPPING_LIMITS.expressionDepthMax)
    throw new InvalidDocument(at, 'the expression is nested too deep');
  return operands.reduce<number>(
    (calls, operand) => calls + countCalls(operand as JSONQuery, depth + 1, at),
    1,
  );
}
