import { type RejectionReason, rejection } from '@twinstream/device-model';
import { compileConditions, type Test } from './compile-condition.ts';
import { assembleEvent, compileEvent, type EventParts, isSameHead } from './compile-event.ts';
import { compileValue, mergeInto } from './compile-value.ts';
import type { Formats } from './formats.ts';
import { RECORD_LIMITS } from './limits.ts';
import type { EachSpec, RuleSpec, ValueSpec } from './mapping-document.ts';
import { MappingFault } from './mapping-fault.ts';
import { type Access, compilePath, memberOf } from './path.ts';
import { isPayloadArray, isPayloadObject, type PayloadValue, setMember } from './payload-value.ts';
import { type Outcome, type Run, runGuarded } from './record-outcome.ts';
import type { Scope } from './scope.ts';

export interface CompiledRule {
  readonly name: string;
  readonly matches: Test;
  /** Maps one payload. Items count on from `scope.index`, which is left after the last one. */
  run(scope: Scope, outcome: Outcome): void;
}

/** The member of an event that a reason is about, where it is not its data. */
const MEMBER_OF: Readonly<Partial<Record<RejectionReason, string>>> = {
  'missing-device-id': 'deviceId',
  'invalid-device-id': 'deviceId',
  'invalid-type': 'type',
  'invalid-correction': 'type',
  'invalid-time': 'time',
  'invalid-counter': 'identity',
};

/** @param stamp the member that says which mapping made an event */
export function compileRule(spec: RuleSpec, stamp: object, formats: Formats): CompiledRule {
  const at = `rules.${spec.name}`;
  const matches = compileConditions(spec.when, `${at}.when`, formats);
  if (spec.event === undefined) {
    return {
      name: spec.name,
      matches,
      run: (scope, outcome) => {
        outcome.ignored += 1;
        scope.index += 1;
      },
    };
  }
  const unwrap = spec.unwrap === undefined ? undefined : compileUnwrap(spec.unwrap, `${at}.unwrap`, formats);
  const build = compileEvent(spec.event, `${at}.event`, formats);
  const finish = (item: number, parts: EventParts, outcome: Outcome): void => {
    const decoded = assembleEvent(parts, stamp);
    if ('rejected' in decoded) {
      const place = `${at}.event.${MEMBER_OF[decoded.rejected] ?? 'data'}`;
      outcome.rejections.push({
        item,
        at: place,
        ...rejection(decoded.rejected, `${place}: ${decoded.detail}`),
      });
      return;
    }
    outcome.characters += decoded.text.length;
    if (outcome.characters > RECORD_LIMITS.outputCharactersMax) {
      const limit = RECORD_LIMITS.outputCharactersMax;
      throw new MappingFault(
        'mapping-limit',
        at,
        `the events of the record have more than ${limit} characters`,
      );
    }
    const { event, text, sourceCounter } = decoded;
    outcome.events.push(
      sourceCounter === undefined ? { item, event, text } : { item, event, text, sourceCounter },
    );
  };
  if (spec.each === undefined) {
    const run: Run = (scope, outcome) => {
      unwrap?.(scope);
      finish(scope.index, build(scope), outcome);
      scope.index += 1;
    };
    return { name: spec.name, matches, run };
  }
  const each = runEach(spec.each, `${at}.each`, formats, build, finish);
  const run: Run = (scope, outcome) => {
    unwrap?.(scope);
    each(scope, outcome);
  };
  return { name: spec.name, matches, run };
}

function compileUnwrap(spec: ValueSpec, at: string, formats: Formats): (scope: Scope) => void {
  const inner = compileValue(spec, at, formats);
  return (scope) => {
    const payload = inner(scope);
    if (payload === undefined) throw new MappingFault('unmapped-value', at, 'missing');
    scope.payload = payload;
    scope.item = payload;
  };
}

/** An event that the next item may add to. */
interface OpenEvent {
  readonly item: number;
  readonly parts: EventParts;
  readonly data: { [name: string]: PayloadValue };
}

function runEach(
  spec: EachSpec,
  at: string,
  formats: Formats,
  build: (scope: Scope) => EventParts,
  finish: (item: number, parts: EventParts, outcome: Outcome) => void,
): Run {
  const path = compilePath(spec.path, `${at}.path`);
  const where = compileConditions(spec.where, `${at}.where`, formats);
  const carry = spec.carry ?? [];
  return (scope, outcome) => {
    const items = itemsOf(spec, path, scope, at);
    const carried: { [name: string]: PayloadValue } = {};
    scope.carried = carried;
    let open: OpenEvent | undefined;
    const close = (): void => {
      const closed = open;
      open = undefined;
      if (closed !== undefined) finish(closed.item, { ...closed.parts, data: closed.data }, outcome);
    };
    const one: Run = (inner, into) => {
      if (!where(inner)) {
        into.ignored += 1;
        close();
      } else {
        const parts = build(inner);
        if (open !== undefined && isSameHead(open.parts, parts)) mergeInto(open.data, parts.data, inner, at);
        else {
          close();
          if (spec.merge === true)
            open = { item: inner.index, parts, data: mergeInto({}, parts.data, inner, at) };
          else finish(inner.index, parts, into);
        }
      }
      inner.index += 1;
    };
    for (const [key, item] of items) {
      scope.item = item;
      scope.key = key;
      for (const name of carry) {
        const value = memberOf(item, name);
        if (value !== undefined) setMember(carried, name, value);
      }
      const rejectedBefore = outcome.rejections.length;
      runGuarded(one, scope, outcome);
      if (outcome.rejections.length > rejectedBefore) close();
    }
    close();
  };
}

function itemsOf(
  { of = 'elements' }: EachSpec,
  path: Access,
  scope: Scope,
  at: string,
): readonly (readonly [string | undefined, PayloadValue])[] {
  const value = path(scope);
  const items = of === 'elements' ? elementsOf(value) : membersOf(value);
  if (items === undefined) {
    throw new MappingFault('unmapped-value', at, of === 'elements' ? 'not an array' : 'not an object');
  }
  if (scope.index + items.length > RECORD_LIMITS.itemsMax) {
    throw new MappingFault('mapping-limit', at, `more than ${RECORD_LIMITS.itemsMax} items in one record`);
  }
  return items;
}

function elementsOf(value: PayloadValue | undefined): (readonly [undefined, PayloadValue])[] | undefined {
  return isPayloadArray(value) ? value.map((item) => [undefined, item] as const) : undefined;
}

function membersOf(value: PayloadValue | undefined): (readonly [string, PayloadValue])[] | undefined {
  return isPayloadObject(value) ? Object.entries(value) : undefined;
}
