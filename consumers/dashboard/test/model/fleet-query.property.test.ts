import { LIVENESS, ORDERS, RETIRED_FILTERS, TROUBLE_FILTERS } from '@twinstream/api-contract/values';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  attributeSort,
  FLEET_PARAMETERS,
  type FleetQuery,
  isFiltered,
  readFleetQuery,
  readNames,
  SORT_KEYS,
  writeFleetQuery,
  writeNames,
} from '../../src/model/fleet-query.ts';

const text = fc.string({ minLength: 1, maxLength: 20 }).filter((value) => value.trim() === value);
const sorted = fc
  .record(
    {
      sort: fc.oneof(fc.constantFrom(...SORT_KEYS), text.map(attributeSort)),
      order: fc.constantFrom(...ORDERS),
    },
    { requiredKeys: ['sort'] },
  )
  .map((value): FleetQuery => value);
const filter = fc.record(
  {
    q: text,
    status: fc.constantFrom('connected' as const, 'disconnected' as const, 'unknown' as const),
    liveness: fc.constantFrom(...LIVENESS),
    trouble: fc.constantFrom(...TROUBLE_FILTERS),
    acknowledged: fc.boolean(),
    retired: fc.constantFrom(...RETIRED_FILTERS),
    site: text,
    type: text,
    firmware: text,
    attributes: fc.array(fc.record({ name: text, condition: text }), { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
);

test('every fleet query comes back from its address as it was', () => {
  fc.assert(
    fc.property(filter, fc.option(sorted, { nil: {} }), (narrowed, order) => {
      const query: FleetQuery = { ...narrowed, ...order };
      const address = new URLSearchParams(writeFleetQuery(query).toString());
      expect(readFleetQuery(address)).toEqual(query);
      expect(isFiltered(query)).toBe(Object.keys(narrowed).length > 0);
    }),
  );
});

test('no address breaks the page, however it was made', () => {
  const parameters = fc.array(
    fc.tuple(fc.constantFrom(...FLEET_PARAMETERS, 'attr.', 'attr.a', 'tz', 'other'), fc.string()),
  );
  fc.assert(
    fc.property(parameters, (pairs) => {
      const query = readFleetQuery(new URLSearchParams(pairs));
      expect(readFleetQuery(writeFleetQuery(query))).toEqual(query);
    }),
  );
});

test('names of columns come back from one parameter as they were, whatever they hold', () => {
  const names = fc.array(fc.string({ minLength: 1, unit: fc.constantFrom('a', ',', '~', '0', '2', 'ü') }));
  fc.assert(
    fc.property(names, (all) => {
      expect(readNames(writeNames(all))).toEqual(all);
    }),
  );
});
