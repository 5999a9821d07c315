import { deviceId } from '@twinstream/device-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listPage, type PlaceList, placeIndex } from '../../src/fleet/fleet-list.ts';

const idOf = (slot: number) => deviceId(`d${slot}`);
/** Every state is gone: a page then tells of its last place alone. */
const snapshot = { find: () => undefined, livenessAt: () => 'offline' as const, notesOf: () => 0 };

/** Values of places, in any order, in that of the list, and in its opposite, where each place would come before all that are known. */
const anyValues = fc
  .tuple(
    fc.array(fc.oneof(fc.nat({ max: 20 }), fc.double(), fc.constant(Number.NaN)), {
      minLength: 1,
      maxLength: 400,
    }),
    fc.constantFrom('any', 'rising', 'falling'),
  )
  .map(([values, arranged]) => {
    if (arranged === 'any') return values;
    const rising = [...values].sort((a, b) => a - b);
    return arranged === 'rising' ? rising : rising.reverse();
  });

test('pages of any length lead through all places in their order, each once', () => {
  fc.assert(
    fc.property(
      anyValues,
      fc.boolean(),
      fc.constantFrom('asc' as const, 'desc' as const),
      fc.integer({ min: 1, max: 40 }),
      (numbers, isText, order, limit) => {
        const slots = Uint32Array.from(numbers.keys());
        const values = isText ? numbers.map((value) => `${value}`) : Float64Array.from(numbers);
        const ranks = Uint32Array.from(slots, (slot) => slots.length - 1 - slot);
        const slotOf = (id: string) => Number(id.slice(1));
        const places: PlaceList = { slots, sorted: { values, ranks, slotOf }, idOf };
        const sort = { by: isText ? 'site' : 'events', order } as const;
        const sign = order === 'asc' ? 1 : -1;
        const expected = [...slots].sort((a, b) => {
          const [x, y] = [values[a] ?? '', values[b] ?? ''];
          const byId = (ranks[a] ?? 0) - (ranks[b] ?? 0);
          if (Number.isNaN(x) || Number.isNaN(y)) {
            return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || byId;
          }
          return (x < y ? -sign : x > y ? sign : 0) || byId;
        });
        const ends = expected.filter(
          (_, index) => index % limit === limit - 1 && index < expected.length - 1,
        );
        const found: number[] = [];
        let after: number | undefined;
        for (;;) {
          const { last } = listPage(
            snapshot,
            { places, sort, limit, ...(after === undefined ? {} : { after }) },
            0,
          );
          if (last === undefined) break;
          found.push(slotOf(last));
          after = placeIndex(places, last);
        }
        expect(found).toEqual(ends);
      },
    ),
  );
});
