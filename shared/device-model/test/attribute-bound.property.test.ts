import {
  type DeviceEvent,
  type DeviceState,
  formatVersion,
  PAGE_LIMITS,
  type PageLimits,
  withAttributesBounded,
} from '@twinstream/device-model';
import type { ShardId } from '@twinstream/stream-model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { A, arrived, B, C, counted, openChain } from './device-chain.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'site'] as const;
/** What one of these names takes: its JSON and the text of a version. */
const NAME_BYTES = 43;

interface Drawn {
  readonly session: number;
  readonly counter: number;
}

/** The same identity means the same content. */
function contentOf({ session, counter }: Drawn): DeviceEvent {
  const draw = (salt: number, below: number) => (session * 37 + counter * 23 + salt * (counter + 5)) % below;
  const data = Object.fromEntries(
    NAMES.filter((_, index) => draw(index + 3, 4) === 0).map((name, index) => [
      name,
      draw(index, 3) === 0 ? null : `${session}.${counter} ${name}`,
    ]),
  );
  return counted(session, counter, { data });
}

const drawn = fc.record({ session: fc.nat(1), counter: fc.nat(11) });
interface Spread {
  readonly shards: readonly ShardId[];
  readonly batchMax: number;
  readonly eventsMax: number;
}

const spread: fc.Arbitrary<Spread> = fc.record({
  shards: fc.array(fc.constantFrom(A, B, C), { minLength: 1, maxLength: 5 }),
  batchMax: fc.integer({ min: 1, max: 4 }),
  eventsMax: fc.integer({ min: 1, max: 3 }),
});

function limitsOf(attributeNameBytesMax: number, eventsMax: number): PageLimits {
  return { ...PAGE_LIMITS, eventsMax, receipts: { ...PAGE_LIMITS.receipts, attributeNameBytesMax } };
}

function fold(events: readonly Drawn[], way: Spread, bytesMax: number): DeviceState {
  const chain = openChain(limitsOf(bytesMax, way.eventsMax));
  for (let from = 0; from < events.length; ) {
    const size = 1 + ((from * 7) % way.batchMax);
    const shard = way.shards[from % way.shards.length] ?? A;
    const batch = events
      .slice(from, from + size)
      .map((event, index) => arrived(9 + from + index, contentOf(event)));
    chain.deliver(shard, batch);
    from += size;
  }
  return chain.state;
}

const kept = ({ attributes, attributesFloor }: DeviceState) => ({
  attributes: Object.fromEntries(attributes),
  floor: attributesFloor && formatVersion(attributesFloor),
});

/** The bound by its definition, over all that ever came: whole versions from the newest down, as far as they fit. */
function naive(events: readonly Drawn[], bytesMax: number) {
  const rising = [...new Map(events.map((each) => [`${each.session}.${each.counter}`, each])).values()].sort(
    (a, b) => a.session - b.session || a.counter - b.counter,
  );
  const newest = new Map<string, Drawn>();
  for (const each of rising) for (const name of Object.keys(contentOf(each).data)) newest.set(name, each);
  let floor: string | undefined;
  let bytes = 0;
  const names = new Set<string>(newest.has('site') ? ['site'] : []);
  for (const each of rising.toReversed()) {
    const here = [...newest].filter(([name, writer]) => writer === each && name !== 'site');
    if (here.length === 0) continue;
    bytes += here.length * NAME_BYTES;
    if (bytes > bytesMax) {
      floor = `${each.session}.${each.counter}`;
      break;
    }
    for (const [name] of here) names.add(name);
  }
  return { names: [...names].sort(), floor };
}

describe('a state whose names are too many', () => {
  test('keeps the same attributes and floor whatever the order, copies, batches and shards of its counted events', () => {
    let floors = 0;
    fc.assert(
      fc.property(
        fc.array(drawn, { minLength: 1, maxLength: 24, size: 'max' }),
        fc.array(fc.nat(1_000), { minLength: 30, maxLength: 30 }),
        spread,
        spread,
        fc.integer({ min: 0, max: 5 }),
        (events, keys, one, other, namesMax) => {
          const bytesMax = namesMax * NAME_BYTES;
          const first = fold(events, one, bytesMax);
          const shuffled = [...events, ...events.slice(0, 6)]
            .map((event, index) => [keys[index] ?? 0, event] as const)
            .sort(([a], [b]) => a - b)
            .map(([, event]) => event);
          expect(kept(fold(shuffled, other, bytesMax))).toEqual(kept(first));
          const { names, floor } = naive(events, bytesMax);
          expect([...first.attributes.keys()].sort()).toEqual(names);
          expect(kept(first).floor).toBe(floor);
          if (floor !== undefined) floors += 1;
        },
      ),
      { numRuns: 200 },
    );
    expect(floors).toBeGreaterThan(60);
  });

  test('is what a state without the bound becomes when it is read', () => {
    fc.assert(
      fc.property(
        fc.array(drawn, { minLength: 1, maxLength: 24, size: 'max' }),
        spread,
        fc.nat(5),
        (events, way, namesMax) => {
          const bytesMax = namesMax * NAME_BYTES;
          const unbounded = fold(events, way, Number.POSITIVE_INFINITY);
          expect(kept(withAttributesBounded(unbounded, bytesMax))).toEqual(kept(fold(events, way, bytesMax)));
        },
      ),
      { numRuns: 50 },
    );
  });

  test('goes on from a state that was bounded when it was read, as if it always had been', () => {
    fc.assert(
      fc.property(
        fc.array(drawn, { minLength: 2, maxLength: 24, size: 'max' }),
        spread,
        fc.nat(5),
        (events, way, namesMax) => {
          const bytesMax = namesMax * NAME_BYTES;
          const half = events.length >> 1;
          const before = openChain(limitsOf(Number.POSITIVE_INFINITY, 3));
          events.slice(0, half).forEach((event, index) => {
            before.deliver(A, [arrived(index + 8, contentOf(event))]);
          });
          const after = openChain(limitsOf(bytesMax, 3), withAttributesBounded(before.state, bytesMax));
          events.slice(half).forEach((event, index) => {
            after.deliver(A, [arrived(index + 100, contentOf(event))]);
          });
          expect(kept(after.state)).toEqual(kept(fold(events, way, bytesMax)));
        },
      ),
      { numRuns: 50 },
    );
  });
});
