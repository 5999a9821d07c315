import type { FaultInjector, FaultRule, FaultService, RequestFaults } from './fault-rule.ts';

/** A rule with what it has done since it was set. */
export interface FaultRuleReport extends FaultRule {
  /** Requests (`partial`: records) that were drawn for. */
  readonly matched: number;
  readonly injected: number;
}

/** A fault injector whose rules can be replaced while emulators use it. */
export interface SeededFaultInjector extends FaultInjector {
  /** Replaces all rules; counts and draws start over. */
  replace(rules: readonly FaultRule[]): void;
  report(): readonly FaultRuleReport[];
}

interface RuleState {
  readonly rule: FaultRule;
  readonly draw: () => number;
  matched: number;
  injected: number;
}

/**
 * Uniform draws from [0, 1) that depend on the seed alone: mulberry32, a 32-bit generator of Tommy Ettinger, public
 * domain, 2017. Good enough to spread faults; not for anything else.
 */
export function seededDraws(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Faults by rule. Each rule draws from its own seeded sequence (its place in the list where it names no seed), once
 * per matching request, so that one rule's draws do not depend on what other rules do. Delays add up. Of several
 * refusals drawn for one request the first in the list refuses it, and then nothing else befalls it. Only
 * faults that take effect count as injected.
 */
export function createFaultInjector(rules: readonly FaultRule[] = []): SeededFaultInjector {
  let states: readonly RuleState[] = [];
  const replace = (next: readonly FaultRule[]) => {
    states = next.map((rule, index) => ({
      rule,
      draw: seededDraws(rule.seed ?? index),
      matched: 0,
      injected: 0,
    }));
  };
  replace(rules);
  return {
    replace,
    decide: (service, operation) => decide(states, service, operation),
    report: () => states.map(({ rule, matched, injected }) => ({ ...rule, matched, injected })),
  };
}

function decide(
  states: readonly RuleState[],
  service: FaultService,
  operation: string,
): RequestFaults | undefined {
  if (states.length === 0) return undefined;
  const matching = states.filter(({ rule }) => matches(rule, service, operation));
  if (matching.length === 0) return undefined;

  const drawn = matching.filter(({ rule }) => rule.kind !== 'partial').filter(draws);
  const delays = drawn.filter(({ rule }) => rule.kind === 'delay').map(inject);
  const refusing = drawn.find(({ rule }) => isRefusal(rule));
  const lost = refusing ? [] : drawn.filter(({ rule }) => rule.kind === 'lost-answer').map(inject);
  const recordRules = refusing ? [] : matching.filter(({ rule }) => rule.kind === 'partial');
  if (delays.length + lost.length + recordRules.length === 0 && !refusing) return undefined;
  const refused = refusing && inject(refusing).kind;
  return {
    delayMs: delays.reduce((sum, rule) => sum + (rule.delayMs ?? 0), 0),
    refusal: refused === 'throttle' || refused === 'error' ? refused : undefined,
    ...(refused === 'expired-iterator' ? { iteratorExpired: true } : {}),
    answerLost: lost.length > 0,
    recordFails: recordRules.length === 0 ? undefined : () => recordFails(recordRules),
  };
}

/** Every rule draws for every record, and the first that strikes counts the fault. */
function recordFails(rules: readonly RuleState[]): boolean {
  const [first] = rules.filter(draws);
  if (!first) return false;
  inject(first);
  return true;
}

function matches(rule: FaultRule, service: FaultService, operation: string): boolean {
  // An iterator is what GetRecords alone is asked with.
  const wanted = rule.kind === 'expired-iterator' ? 'GetRecords' : (rule.operation ?? operation);
  return rule.service === service && wanted === operation;
}

/** Draws once for the rule, unless it is spent. */
function draws(state: RuleState): boolean {
  const { rule } = state;
  if (rule.count !== undefined && state.injected >= rule.count) return false;
  state.matched += 1;
  return state.draw() < rule.rate;
}

/** Counts a fault that takes effect. */
function inject(state: RuleState): FaultRule {
  state.injected += 1;
  return state.rule;
}

function isRefusal({ kind }: FaultRule): boolean {
  return kind === 'throttle' || kind === 'error' || kind === 'expired-iterator';
}
