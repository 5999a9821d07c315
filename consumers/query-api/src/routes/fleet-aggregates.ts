import {
  type AttributeFigures,
  type FleetAggregates,
  getFleetAggregates,
  LABEL_VALUES_MAX,
} from '@twinstream/api-contract';
import { isoTime } from '../device-json.ts';
import { endpoint } from '../endpoint.ts';
import { taggedAnswer } from '../entity-tag.ts';
import { numberReader } from '../fleet/columns/fleet-scan.ts';
import { NONE } from '../fleet/columns/intern-table.ts';

export const fleetAggregatesEndpoint = endpoint(
  getFleetAggregates,
  async ({ query: { attribute, by, ...filter }, headers, getSignal }, services) => {
    const snapshot = await services.fleet.current(getSignal());
    const now = services.clock.now();
    const { columns, matches } = snapshot.scan(filter, now);
    const numberAt = numberReader(columns, attribute);
    const labels = by === undefined ? undefined : columns.references[by];
    const total = counter();
    const groups: ReturnType<typeof counter>[] = [];
    for (let slot = 0; slot < columns.slotsEnd; slot += 1) {
      if (matches[slot] !== 1) continue;
      const value = numberAt(slot);
      if (Number.isNaN(value)) continue;
      total.add(value);
      if (labels === undefined) continue;
      const label = labels[slot] ?? NONE;
      const group = groups[label] ?? counter();
      groups[label] = group;
      group.add(value);
    }
    const inOrder = Object.entries(groups)
      .map(([label, group]) => ({
        value: Number(label) === NONE ? null : columns.textOf(Number(label)),
        ...group.figures(),
      }))
      .sort((a, b) => b.count - a.count || ((a.value ?? '') < (b.value ?? '') ? -1 : 1));
    const asOf = isoTime(snapshot.asOf);
    const figures = {
      attribute,
      total: total.figures(),
      ...(by === undefined ? {} : { groups: inOrder.slice(0, LABEL_VALUES_MAX) }),
    };
    const answer: FleetAggregates = { ...figures, asOf };
    const content = JSON.stringify([filter, by, figures]);
    return taggedAnswer(headers['if-none-match'], { content, asOf, text: () => JSON.stringify(answer) });
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
