import {
  CONNECTION_STATUSES,
  type FleetSummary,
  LABEL_VALUES_MAX,
  type LabelCounts,
  LIVENESS,
} from '@twinstream/api-contract';
import type { Labels } from '@twinstream/device-model';
import type { LivenessPolicy } from '../liveness.ts';
import { type FleetScan, troubleIndexes } from './columns/fleet-scan.ts';
import { NONE } from './columns/intern-table.ts';
import { hasTrouble, isInTrouble, isUnacknowledged, TROUBLE_INDEXES } from './trouble.ts';

/** Counts the devices of a scan. */
export function summarizeFleet(
  scan: FleetScan,
  policy: LivenessPolicy,
): Omit<FleetSummary, 'asOf' | 'lagMs' | 'retired' | 'gapsAgeOutMs'> {
  const { columns, matches, count: total } = scan;
  const liveness = scan.liveness();
  const { bytes } = columns;
  const indexOf = troubleIndexes(columns, liveness);
  // By status and liveness together.
  const counts = new Uint32Array(CONNECTION_STATUSES.length * LIVENESS.length);
  const byTrouble = new Uint32Array(TROUBLE_INDEXES);
  for (let slot = 0; slot < columns.slotsEnd; slot += 1) {
    if (matches[slot] !== 1) continue;
    const index = (bytes.status[slot] ?? 0) * LIVENESS.length + (liveness[slot] ?? 0);
    counts[index] = (counts[index] ?? 0) + 1;
    const trouble = indexOf(slot);
    byTrouble[trouble] = (byTrouble[trouble] ?? 0) + 1;
  }
  const troubled = (is: (index: number) => boolean) =>
    byTrouble.reduce((sum, count, index) => (is(index) ? sum + count : sum), 0);
  const statusOf = (index: number) => Math.floor(index / LIVENESS.length);
  return {
    total,
    byStatus: countsBy(CONNECTION_STATUSES, counts, statusOf),
    byLiveness: countsBy(LIVENESS, counts, (index) => index % LIVENESS.length),
    inTrouble: troubled(isInTrouble),
    byTrouble: {
      silent: troubled((index) => hasTrouble(index, 'silent')),
      gaps: troubled((index) => hasTrouble(index, 'gaps')),
    },
    unacknowledged: troubled(isUnacknowledged),
    bySite: labelCounts(scan, 'site'),
    byType: labelCounts(scan, 'type'),
    byFirmware: labelCounts(scan, 'firmware'),
    thresholds: { default: policy.default, byType: Object.fromEntries(policy.byType) },
  };
}

function countsBy<const Name extends string>(
  names: readonly Name[],
  counts: Uint32Array,
  nameOf: (index: number) => number,
): Record<Name, number> {
  const sums = names.map((_, name) =>
    counts.reduce((sum, count, index) => (nameOf(index) === name ? sum + count : sum), 0),
  );
  return Object.fromEntries(names.map((name, index) => [name, sums[index] ?? 0])) as Record<Name, number>;
}

function labelCounts({ columns, matches }: FleetScan, label: keyof Labels): LabelCounts {
  const numbers = columns.references[label];
  const counts = new Uint32Array(columns.texts.numbersEnd);
  for (let slot = 0; slot < columns.slotsEnd; slot += 1) {
    if (matches[slot] !== 1) continue;
    const number = numbers[slot] ?? NONE;
    counts[number] = (counts[number] ?? 0) + 1;
  }
  const values: { readonly value: string; readonly count: number }[] = [];
  counts.forEach((count, number) => {
    if (count > 0 && number !== NONE) values.push({ value: columns.textOf(number), count });
  });
  values.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
  return {
    values: values.slice(0, LABEL_VALUES_MAX),
    other: values.slice(LABEL_VALUES_MAX).reduce((sum, { count }) => sum + count, 0),
    none: counts[NONE] ?? 0,
  };
}
