import type { CapacityPlan } from '@twinstream/capacity';

/** A plan as JSON says it: stable, for scripts. Figures stand under their keys. */
export function planDocument(plan: CapacityPlan, latencyBudgetSeconds: number | undefined) {
  const others = new Map(plan.baseline.map((figure) => [figure.key, figure]));
  return {
    workload: plan.workload,
    latencyBudgetSeconds: latencyBudgetSeconds ?? null,
    warnings: plan.warnings,
    figures: plan.twinstream.map(({ key, name, unit, value, formula, source }) => {
      const ordinary = others.get(key);
      return {
        key,
        name,
        unit,
        twinstream: { value, formula, source },
        ordinary:
          ordinary === undefined
            ? null
            : { value: ordinary.value, formula: ordinary.formula, source: ordinary.source },
      };
    }),
  };
}
