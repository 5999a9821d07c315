import {
  CONNECTION_STATUSES,
  type FleetFilter,
  type FleetSummary,
  LABEL_VALUES_MAX,
  type LabelCounts,
  LIVENESS,
  TROUBLES,
} from '@twinstream/api-contract';
import type { LivenessPolicy } from '../liveness.ts';
import { fleetPredicate } from './fleet-filter.ts';
import type { FleetSnapshot } from './fleet-view.ts';
import { troublesOf } from './trouble.ts';

/** Counts those rows that meet the filter. */
export function summarizeFleet(
  snapshot: Pick<FleetSnapshot, 'rows' | 'livenessAt'>,
  filter: FleetFilter,
  policy: LivenessPolicy,
  timeMs: number,
): Omit<FleetSummary, 'asOf' | 'lagMs'> {
  const matches = fleetPredicate(filter);
  const byStatus = zeros(CONNECTION_STATUSES);
  const byLiveness = zeros(LIVENESS);
  const byTrouble = zeros(TROUBLES);
  const labels = { site: labelCounter(), type: labelCounter(), firmware: labelCounter() };
  let total = 0;
  let inTrouble = 0;
  for (const row of snapshot.rows) {
    const liveness = snapshot.livenessAt(row, timeMs);
    if (!matches(row, liveness)) continue;
    total += 1;
    byStatus[row.device.status] += 1;
    byLiveness[liveness] += 1;
    const troubles = troublesOf(row, liveness);
    if (troubles.length > 0) inTrouble += 1;
    for (const trouble of troubles) byTrouble[trouble] += 1;
    labels.site.add(row.device.labels.site);
    labels.type.add(row.device.labels.type);
    labels.firmware.add(row.device.labels.firmware);
  }
  return {
    total,
    byStatus,
    byLiveness,
    inTrouble,
    byTrouble,
    bySite: labels.site.counts(),
    byType: labels.type.counts(),
    byFirmware: labels.firmware.counts(),
    thresholds: { default: policy.default, byType: Object.fromEntries(policy.byType) },
  };
}

function zeros<const Name extends string>(names: readonly Name[]): Record<Name, number> {
  const counts: Partial<Record<Name, number>> = {};
  for (const name of names) counts[name] = 0;
  return counts as Record<Name, number>;
}

function labelCounter() {
  const byValue = new Map<string, number>();
  let none = 0;
  return {
    add: (value: string | undefined) => {
      if (value === undefined) none += 1;
      else byValue.set(value, (byValue.get(value) ?? 0) + 1);
    },
    counts: (): LabelCounts => {
      const sorted = [...byValue].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
      return {
        values: sorted.slice(0, LABEL_VALUES_MAX).map(([value, devices]) => ({ value, count: devices })),
        other: sorted.slice(LABEL_VALUES_MAX).reduce((sum, [, devices]) => sum + devices, 0),
        none,
      };
    },
  };
}
