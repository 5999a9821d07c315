import { compileStep } from './compile-step.ts';
import type { Formats } from './formats.ts';
import { CHARACTERS_PER_UNIT, MAPPING_LIMITS } from './limits.ts';
import type { ValueObjectSpec, ValueSpec } from './mapping-document.ts';
import { InvalidDocument, MappingFault } from './mapping-fault.ts';
import { type Access, compilePath } from './path.ts';
import {
  doubleOf,
  isPayloadArray,
  isPayloadObject,
  type PayloadValue,
  setMember,
  textOf,
} from './payload-value.ts';
import { compileExpression } from './scalar-expression.ts';
import { type Scope, spend } from './scope.ts';

/** Compiles a value; the closure returns undefined where there is none, and throws MappingFault where it cannot be made. */
export function compileValue(spec: ValueSpec, at: string, formats: Formats, depth = 0): Access {
  if (depth > MAPPING_LIMITS.valueDepthMax)
    throw new InvalidDocument(at, 'values inside values are nested too deep');
  if (typeof spec === 'string') return compilePath(spec, at);
  const source = compileSource(spec, at, formats, depth);
  const steps = (spec.steps ?? []).map((step, index) => compileStep(step, `${at}.steps[${index}]`, formats));
  const otherwise = spec.default as PayloadValue | undefined;
  if (steps.length === 0 && otherwise === undefined) return source;
  return (scope) => {
    let value = source(scope);
    for (const step of steps) {
      if (value === undefined || value === null) break;
      scope.work += 1;
      value = step(value, scope);
    }
    return value === undefined || value === null ? (otherwise ?? value) : value;
  };
}

function compileSource(spec: ValueObjectSpec, at: string, formats: Formats, depth: number): Access {
  const inner = (part: ValueSpec, place: string): Access =>
    compileValue(part, `${at}.${place}`, formats, depth + 1);
  const all = (specs: readonly ValueSpec[], place: string): readonly Access[] =>
    specs.map((part, index) => inner(part, `${place}[${index}]`));
  if (spec.path !== undefined) return compilePath(spec.path, at);
  if (spec.expression !== undefined) return compileExpression(spec.expression, `${at}.expression`);
  if (spec.concat !== undefined) return concat(all(spec.concat, 'concat'), `${at}.concat`);
  if (spec.sum !== undefined) return sum(all(spec.sum, 'sum'), `${at}.sum`);
  if (spec.first !== undefined) return first(all(spec.first, 'first'));
  if (spec.merge !== undefined) {
    return merge(all(spec.merge, 'merge'), isMade(spec.merge[0]), `${at}.merge`);
  }
  if (spec.object !== undefined) {
    const members = Object.entries(spec.object).map(
      ([name, part]) => [name, inner(part, `object.${name}`)] as const,
    );
    return object(members);
  }
  if (spec.member !== undefined) {
    return member(
      inner(spec.member.name, 'member.name'),
      inner(spec.member.value, 'member.value'),
      `${at}.member`,
    );
  }
  if (spec.pairs !== undefined) {
    const { path, name, value } = spec.pairs;
    return pairs(
      compilePath(path, `${at}.pairs.path`),
      inner(name, 'pairs.name'),
      inner(value, 'pairs.value'),
      `${at}.pairs`,
    );
  }
  const constant = spec.const as PayloadValue;
  return () => constant;
}

function concat(parts: readonly Access[], at: string): Access {
  return (scope) => {
    let joined = '';
    for (const part of parts) {
      const value = part(scope);
      if (value === undefined || value === null) return undefined;
      const text = textOf(value);
      if (text === undefined) throw new MappingFault('unmapped-value', at, 'a part is not a text');
      spend(scope, 1 + text.length / CHARACTERS_PER_UNIT, at);
      joined += text;
    }
    return joined;
  };
}

function sum(parts: readonly Access[], at: string): Access {
  return (scope) => {
    let total: number | undefined;
    for (const part of parts) {
      const value = part(scope);
      if (value === undefined || value === null) continue;
      const number = doubleOf(value);
      if (number === undefined) throw new MappingFault('unmapped-value', at, 'a part is not a number');
      total = (total ?? 0) + number;
    }
    if (total !== undefined && !Number.isFinite(total)) {
      throw new MappingFault('unmapped-value', at, 'the sum is not a finite number');
    }
    return total;
  };
}

function first(parts: readonly Access[]): Access {
  return (scope) => {
    let fault: unknown;
    for (const part of parts) {
      try {
        const value = part(scope);
        if (value !== undefined && value !== null) return value;
      } catch (error) {
        if (!(error instanceof MappingFault) || error.reason === 'mapping-limit') throw error;
        fault ??= error;
      }
    }
    if (fault !== undefined) throw fault;
    return undefined;
  };
}

/** Steps that make a new object, whatever they are given. */
const MAKING_STEPS: ReadonlySet<string> = new Set(['pick', 'drop', 'rename', 'flatten']);

/** Whether an object that the value comes to is made for it, and so nobody else's: not a part of the payload or of the document. */
function isMade(spec: ValueSpec | undefined): boolean {
  if (typeof spec !== 'object' || spec.default !== undefined) return false;
  const last = spec.steps?.at(-1);
  if (last !== undefined)
    return typeof last === 'object' && Object.keys(last).every((name) => MAKING_STEPS.has(name));
  return (
    spec.object !== undefined ||
    spec.member !== undefined ||
    spec.pairs !== undefined ||
    spec.merge !== undefined
  );
}

/** @param isFirstMade whether the object of the first part may be added to */
function merge(parts: readonly Access[], isFirstMade: boolean, at: string): Access {
  const [first] = parts;
  return (scope) => {
    let merged: { [name: string]: PayloadValue } | undefined;
    for (const part of parts) {
      const value = part(scope);
      if (value === undefined || value === null) continue;
      if (!isPayloadObject(value)) throw new MappingFault('unmapped-value', at, 'a part is not an object');
      if (part === first && isFirstMade) merged = value;
      else {
        merged ??= {};
        mergeInto(merged, value, scope, at);
      }
    }
    return merged ?? {};
  };
}

/** Enters the members of an object into another, replacing those of equal names, and returns that. */
export function mergeInto(
  merged: { [name: string]: PayloadValue },
  value: { readonly [name: string]: PayloadValue },
  scope: Scope,
  at: string,
): { [name: string]: PayloadValue } {
  const names = Object.keys(value);
  spend(scope, names.length, at);
  for (const name of names) setMember(merged, name, value[name] ?? null);
  return merged;
}

function object(members: readonly (readonly [string, Access])[]): Access {
  return (scope) => {
    const made: { [name: string]: PayloadValue } = {};
    for (const [name, access] of members) {
      const value = access(scope);
      if (value !== undefined) setMember(made, name, value);
    }
    return made;
  };
}

function member(name: Access, value: Access, at: string): Access {
  return (scope) => {
    const named = textOf(name(scope));
    if (named === undefined) throw new MappingFault('unmapped-value', at, 'the name is not a text');
    const made: { [name: string]: PayloadValue } = {};
    const found = value(scope);
    if (found !== undefined) setMember(made, named, found);
    return made;
  };
}

function pairs(path: Access, name: Access, value: Access, at: string): Access {
  return (scope) => {
    const list = path(scope);
    if (list === undefined || list === null) return undefined;
    if (!isPayloadArray(list)) throw new MappingFault('unmapped-value', at, 'not an array');
    const made: { [name: string]: PayloadValue } = {};
    const { item } = scope;
    try {
      for (const pair of list) {
        spend(scope, 1, at);
        scope.item = pair;
        const named = textOf(name(scope));
        if (named === undefined) continue;
        const found = value(scope);
        if (found !== undefined) setMember(made, named, found);
      }
    } finally {
      scope.item = item;
    }
    return made;
  };
}
