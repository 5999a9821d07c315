import { type DeviceId, type DeviceState, deviceId } from '@twinstream/device-model';
import { TEST_TIME_MS } from '@twinstream/test-kit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { slotsChangedSince } from '../../src/fleet/columns/changed-since.ts';
import { type FleetRow, fleetRow } from '../../src/fleet/fleet-row.ts';
import {
  anyDeviceId,
  anySeen,
  anyState,
  livenessOf,
  newRows,
  plainMarksChanged,
  processedOf,
} from './plain-fleet.ts';

const NOW = TEST_TIME_MS;
type Step = { readonly put: DeviceState } | { readonly drop: DeviceId };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ put: anyState }) },
    { weight: 1, arbitrary: fc.record({ drop: anyDeviceId }) },
  ),
  { maxLength: 25 },
);

/** Carries steps out on the compact rows and on a plain map. */
function carryOut(all: readonly Step[]) {
  const rows = newRows();
  const plain = new Map<DeviceId, FleetRow>();
  let time = 0;
  for (const step of all) {
    time += 1;
    if ('put' in step) {
      // A later read counts, whatever page it brings.
      rows.put(step.put, time, NOW);
      plain.set(step.put.deviceId, fleetRow(step.put));
    } else {
      const reading = rows.beginReading(time);
      plain.delete(step.drop);
      for (const [id] of plain) {
        const last = all.findLast(
          (one): one is { put: DeviceState } =>
            'put' in one && one.put.deviceId === id && all.indexOf(one) < time,
        );
        if (last !== undefined) reading.put(last.put, NOW);
      }
      reading.dropRest();
    }
  }
  return { rows, plain };
}

describe('compact rows', () => {
  test('are the rows that were put, by rising id', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { rows, plain } = carryOut(all);
        const ids = [...plain.keys()].sort();
        expect([...rows.inOrder()].map(rows.columns.idOf)).toEqual(ids);
        for (const id of ids) {
          const { alteredTime: _, ...found } = rows.find(id) ?? {};
          expect(found).toEqual(plain.get(id));
        }
        expect(rows.find(deviceId('nobody'))).toBeUndefined();
        expect(rows.columns.size).toBe(ids.length);
      }),
    );
  });

  test('hold nothing of devices that have left', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { rows } = carryOut(all);
        rows.beginReading(all.length + 1).dropRest();
        const { texts, shapes, shardSets, size } = rows.columns;
        expect([size, ...texts.entries(), ...shapes.entries(), ...shardSets.entries()]).toEqual([0]);
      }),
    );
  });

  test('tell which devices may have changed since a point, as their rows do', () => {
    fc.assert(
      fc.property(
        steps,
        anySeen,
        fc.integer({ min: -1_000_000, max: 0 }),
        fc.boolean(),
        (all, seen, ago, lagged) => {
          const { rows } = carryOut(all);
          const point = { timeMs: NOW + ago, seen };
          const { columns } = rows;
          const changed = [
            ...slotsChangedSince({ columns, processedOf, mayHaveBeenUnknown: lagged }, point),
          ].map(columns.idOf);
          const wanted = [...rows.inOrder()].map(columns.idOf).filter((id) => {
            const shown = rows.shown(id);
            if (shown === undefined) return false;
            return (
              plainMarksChanged(shown.row, point) ||
              livenessOf(shown.row, point.timeMs) !== shown.liveness ||
              (lagged && livenessOf(shown.row, point.timeMs, point.timeMs) !== 'online')
            );
          });
          expect(new Set(changed)).toEqual(new Set(wanted));
        },
      ),
    );
  });

  test('age as their rows do, however few are told in one step', () => {
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 9_000_000 }),
        fc.integer({ min: 1, max: 9 }),
        (all, ms, max) => {
          const { rows } = carryOut(all);
          const before = new Map(
            [...rows.inOrder()].map(rows.columns.idOf).map((id) => [id, rows.shown(id)]),
          );
          const told = new Map<DeviceId, unknown>();
          for (
            let changes = rows.ageTo(NOW + ms, max);
            changes.length > 0;
            changes = rows.ageTo(NOW + ms, max)
          ) {
            for (const change of changes)
              told.set(change.deviceId, [change.before?.liveness, change.after?.liveness]);
          }
          const wanted = [...before].flatMap(([id, shown]) => {
            const now = shown && livenessOf(shown.row, NOW + ms);
            return now === shown?.liveness ? [] : [[id, [shown?.liveness, now]] as const];
          });
          expect(told).toEqual(new Map(wanted));
          for (const [id, shown] of before)
            expect(rows.shown(id)?.liveness).toBe(shown && livenessOf(shown.row, NOW + ms));
        },
      ),
    );
  });
});
