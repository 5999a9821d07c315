import {
  type AttributeFigures,
  type FleetAggregates,
  getFleetAggregates,
  LABEL_VALUES_MAX,
} from '@twinstream/api-contract';
import { numberOf } from '@twinstream/device-model';
import { isoTime } from '../device-json.ts';
import { endpoint, jsonAnswer } from '../endpoint.ts';
import { fleetPredicate } from '../fleet/fleet-filter.ts';

export const fleetAggregatesEndpoint = endpoint(
  getFleetAggregates,
  async ({ query: { attribute, by, ...filter }, getSignal }, services) => {
    const snapshot = await services.fleet.current(getSignal());
    const now = services.clock.now();
    const matches = fleetPredicate(filter);
    const total = counter();
    const groups = new Map<string | null, ReturnType<typeof counter>>();
    for (const row of snapshot.rows) {
      if (!matches(row, snapshot.livenessAt(row, now))) continue;
      const { attributes, labels } = row.device;
      const value = Object.hasOwn(attributes, attribute) ? numberOf(attributes[attribute]) : undefined;
      if (value === undefined) continue;
      total.add(value);
      if (by === undefined) continue;
      const label = labels[by] ?? null;
      const group = groups.get(label) ?? counter();
      groups.set(label, group);
      group.add(value);
    }
    const inOrder = [...groups]
      .map(([value, group]) => ({ value, ...group.figures() }))
      .sort((a, b) => b.count - a.count || ((a.value ?? '') < (b.value ?? '') ? -1 : 1));
    return jsonAnswer<FleetAggregates>({
      attribute,
      total: total.figures(),
      ...(by === undefined ? {} : { groups: inOrder.slice(0, LABEL_VALUES_MAX) }),
      asOf: isoTime(snapshot.asOf),
    });
  },
);

function counter() {
  let count = 0;
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  return {
    add: (value: number) => {
      count += 1;
      sum += value;
      min = Math.min(min, value);
      max = Math.max(max, value);
    },
    figures: (): AttributeFigures =>
      count === 0
        ? { count, min: null, max: null, average: null }
        : { count, min, max, average: sum / count },
  };
}
