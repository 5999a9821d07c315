import { z } from 'zod';
import { CONNECTION_STATUSES } from '../device-json.ts';
import { LIVENESS, type LivenessPolicy } from '../liveness.ts';
import { type FleetFilter, fleetPredicate } from './fleet-filter.ts';
import { type FleetRow, livenessOf } from './fleet-row.ts';
import { TROUBLES, troublesOf } from './trouble.ts';

/** Values of a label that are counted one by one, the most frequent first. */
const LABEL_VALUES_MAX = 100;

const count = z.int().min(0);
const labelCountsSchema = z
  .object({
    values: z.array(z.object({ value: z.string(), count })).max(LABEL_VALUES_MAX),
    other: count.meta({
      description: `Devices with another value, where there are more than ${LABEL_VALUES_MAX}.`,
    }),
    none: count.meta({ description: 'Devices without this label.' }),
  })
  .meta({ id: 'LabelCounts' });
type LabelCounts = z.infer<typeof labelCountsSchema>;

const thresholdsSchema = z.object({ staleAfterMs: z.number(), offlineAfterMs: z.number() });

export const fleetSummarySchema = z
  .object({
    total: count,
    byStatus: z
      .record(z.enum(CONNECTION_STATUSES), count)
      .meta({ description: 'What devices said of themselves.' }),
    byLiveness: z
      .record(z.enum(LIVENESS), count)
      .meta({ description: 'What we infer from when they were last heard.' }),
    inTrouble: count.meta({ description: 'Devices with any trouble.' }),
    byTrouble: z.record(z.enum(TROUBLES), count).meta({ description: 'A device may have more than one.' }),
    bySite: labelCountsSchema,
    byType: labelCountsSchema,
    byFirmware: labelCountsSchema,
    thresholds: z
      .object({ default: thresholdsSchema, byType: z.record(z.string(), thresholdsSchema) })
      .meta({ description: 'After how long a silence a device counts as stale, and as offline.' }),
    asOf: z.iso.datetime().meta({ description: 'Whatever was finished before then is in these counts.' }),
  })
  .meta({ id: 'FleetSummary' });
export type FleetSummary = z.infer<typeof fleetSummarySchema>;

/** Counts those rows that meet the filter. */
export function summarizeFleet(
  rows: Iterable<FleetRow>,
  filter: FleetFilter,
  policy: LivenessPolicy,
  timeMs: number,
): Omit<FleetSummary, 'asOf'> {
  const matches = fleetPredicate(filter);
  const byStatus = zeros(CONNECTION_STATUSES);
  const byLiveness = zeros(LIVENESS);
  const byTrouble = zeros(TROUBLES);
  const labels = { site: labelCounter(), type: labelCounter(), firmware: labelCounter() };
  let total = 0;
  let inTrouble = 0;
  for (const row of rows) {
    const liveness = livenessOf(row, policy, timeMs);
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
