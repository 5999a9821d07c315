import type { FaultInjector, FaultKind, FaultRule, FaultService } from './fault-rule.ts';

/** A rule with what it has done since it was set. */
export interface FaultRuleReport extends FaultRule {
  /** Requests (`partial`: entries) that were drawn for. */
  readonly matched: number;
  readonly injected: number;
}

/** A fault injector whose rules can be replaced while stand-ins use it. */
export interface SeededFaultInjector extends FaultInjector {
  /** Sets all rules anew; counts and draws start over. */
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
 * per matching request, so that one rule's faults do not depend on what the others see. The first rule that strikes wins.
 */
export function createFaultInjector(rules: readonly FaultRule[] = []): SeededFaultInjector {
  let states: readonly RuleState[] = [];
  let services: ReadonlySet<FaultService> = new Set();

  const replace = (next: readonly FaultRule[]) => {
    states = next.map((rule, index) => ({
      rule,
      draw: seededDraws(rule.seed ?? index),
      matched: 0,
      injected: 0,
    }));
    services = new Set(next.map((rule) => rule.service));
  };
  replace(rules);

  const strike = (service: FaultService, operation: string, kind: FaultKind): FaultRule | undefined => {
    if (!services.has(service)) return undefined;
    for (const state of states) {
      const { rule } = state;
      if (rule.service !== service || rule.kind !== kind) continue;
      if (rule.operation !== undefined && rule.operation !== operation) continue;
      if (rule.count !== undefined && state.injected >= rule.count) continue;
      state.matched += 1;
      if (state.draw() >= rule.rate) continue;
      state.injected += 1;
      return rule;
    }
    return undefined;
  };

  return {
    concerns: (service) => services.has(service),
    strike,
    replace,
    report: () => states.map(({ rule, matched, injected }) => ({ ...rule, matched, injected })),
  };
}
