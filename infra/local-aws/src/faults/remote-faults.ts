import type { FaultRule } from './fault-rule.ts';
import type { FaultRuleReport } from './seeded-fault-injector.ts';

/** The fault injector of another process. */
export interface RemoteFaults {
  /** Resolves when the rules are in force there. */
  replace(rules: readonly FaultRule[]): Promise<void>;
  report(): Promise<readonly FaultRuleReport[]>;
}

/** Steers the injector behind another control, at `url`. Rejects when it does not answer. */
export function remoteFaults(url: string): RemoteFaults {
  const ask = async (init?: RequestInit): Promise<readonly FaultRuleReport[]> => {
    const response = await fetch(`${url}/faults`, init);
    if (!response.ok) throw new Error(`${url}/faults answered ${response.status}: ${await response.text()}`);
    const { rules }: { rules: readonly FaultRuleReport[] } = JSON.parse(await response.text());
    return rules;
  };
  return {
    replace: async (rules) => {
      await ask({ method: 'PUT', body: JSON.stringify({ rules }) });
    },
    report: () => ask(),
  };
}
