import {
  type ArrivedEvent,
  compareVersions,
  type DeviceEvent,
  type DeviceState,
  PAGE_LIMITS,
  type PageLimits,
} from '@twinstream/device-model';
import type { ShardId } from '@twinstream/stream-model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrived, corrected, counted, openChain, SHARDS, uncounted, valuesOf } from './device-chain.ts';

/** The same identity means the same content, so the content is a function of the identity. */
function contentOf(session: number, counter: number): DeviceEvent {
  const draw = (salt: number, below: number) =>
    (session * 31 + counter * 17 + salt * 7 + ((counter * salt) % 5)) % below;
  const type =
    (['reported', 'reported', 'connected', 'disconnected', 'rebooted'] as const)[draw(1, 5)] ?? 'reported';
  const data = Object.fromEntries(
    ['speed', 'door', 'site']
      .filter((_, index) => draw(index + 2, 3) > 0)
      .map((name, index) => {
        const value = draw(index + 5, 4);
        return [name, value === 0 ? null : `${session}.${counter}/${value}`];
      }),
  );
  return counted(session, counter, { type, data, time: `20${10 + draw(9, 80)}-01-01T00:00:00Z` });
}

type Identity = { readonly session: number; readonly counter: number };
const identity: fc.Arbitrary<Identity> = fc.record({ session: fc.nat(2), counter: fc.nat(7) });
const limits: fc.Arbitrary<PageLimits> = fc.oneof(
  fc.constant(PAGE_LIMITS),
  fc.record({
    eventsMax: fc.integer({ min: 1, max: 2 }),
    charactersMax: fc.constantFrom(1, 200, 100_000),
    receipts: fc.record({
      sessionsMax: fc.integer({ min: 1, max: 2 }),
      rangesMax: fc.integer({ min: 1, max: 3 }),
      correctionsMax: fc.integer({ min: 1, max: 2 }),
      marksMax: fc.integer({ min: 1, max: 3 }),
      attributeNameBytesMax: fc.constant(PAGE_LIMITS.receipts.attributeNameBytesMax),
    }),
  }),
);

/** Which shard delivers how many of its next records. */
interface Delivery {
  readonly shard: ShardId;
  readonly batch: readonly ArrivedEvent[];
}

/** Spreads events over shards and batches, each shard in rising order; arrivals rise, repeat or run backward. */
function deliveriesOf(
  events: readonly DeviceEvent[],
  shards: readonly number[],
  steps: readonly number[],
): Delivery[] {
  const counts = new Map<ShardId, number>();
  const deliveries: { shard: ShardId; batch: ArrivedEvent[] }[] = [];
  let now = 1_000;
  for (const [index, event] of events.entries()) {
    const shard = SHARDS[shards[index % shards.length] ?? 0] ?? SHARDS[0];
    if (shard === undefined) throw new Error('no shard');
    now += steps[index % steps.length] ?? 0;
    const number = (counts.get(shard) ?? 8) + 1;
    counts.set(shard, number);
    const last = deliveries.at(-1);
    const arrival = arrived(number, event, now);
    if (last?.shard === shard && now % 3 !== 0) last.batch.push(arrival);
    else deliveries.push({ shard, batch: [arrival] });
  }
  return deliveries;
}

const spread = fc.tuple(
  fc.array(fc.nat(3), { minLength: 1, maxLength: 9 }),
  fc.array(fc.integer({ min: -3, max: 5 }), { minLength: 1, maxLength: 7 }),
);

function projected(deliveries: readonly Delivery[], pageLimits: PageLimits): DeviceState {
  const chain = openChain(pageLimits);
  for (const { shard, batch } of deliveries) chain.deliver(shard, batch);
  return chain.state;
}

/** What must be equal whatever the order, the pages and the bounds of memory. */
const essence = ({ attributes, status, lastEventTime, counts, current }: DeviceState) => ({
  attributes: Object.fromEntries(attributes),
  status,
  lastEventTime,
  current,
  events: counts.events,
  duplicates: counts.duplicates,
  gaps: counts.gaps,
});

/** Last writer wins, by definition: over the distinct identities, whatever their order. */
function naive(identities: readonly Identity[]) {
  const distinct = new Map(identities.map((each) => [`${each.session}.${each.counter}`, each]));
  const rising = [...distinct.values()].sort((a, b) => a.session - b.session || a.counter - b.counter);
  const values: Record<string, unknown> = {};
  let status = 'unknown';
  let gaps = 0;
  for (const { session, counter } of rising) {
    const { type, data } = contentOf(session, counter);
    if (type === 'connected' || type === 'disconnected') status = type;
    if (type !== 'rebooted') for (const [name, value] of Object.entries(data)) values[name] = value;
  }
  for (const session of new Set(rising.map((each) => each.session))) {
    const counters = rising.filter((each) => each.session === session).map(({ counter }) => counter);
    gaps += Math.max(...counters) - Math.min(...counters) + 1 - counters.length;
  }
  const present = Object.entries(values).filter(([, value]) => value !== null);
  const newest = rising.at(-1);
  return {
    values: Object.fromEntries(present),
    status,
    gaps,
    events: rising.length,
    duplicates: identities.length - rising.length,
    lastEventTime: newest && contentOf(newest.session, newest.counter).time,
  };
}

describe('the state of counted events', () => {
  test('is the last writer of each attribute, each identity once, whatever arrives how often and in which order', () => {
    fc.assert(
      fc.property(
        fc.array(identity, { minLength: 1, maxLength: 30, size: 'max' }),
        spread,
        limits,
        (identities, [shards, steps], pageLimits) => {
          const events = identities.map(({ session, counter }) => contentOf(session, counter));
          // A duplicate of a shard whose mark was dropped cannot be told from a redelivery unless it arrived later.
          const forward = steps.map((step) => Math.abs(step) + 1);
          const state = projected(deliveriesOf(events, shards, forward), pageLimits);
          const { counts, status, lastEventTime } = state;
          expect({
            values: valuesOf(state),
            status: status.value,
            gaps: counts.gaps,
            events: counts.events,
            duplicates: counts.duplicates,
            lastEventTime: lastEventTime?.value,
          }).toEqual(naive(identities));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('is the same under any duplication and any order of arrival', () => {
    const twice = fc.array(identity, { minLength: 1, maxLength: 14, size: 'max' }).chain((identities) =>
      fc.tuple(
        fc.constant(identities),
        fc
          .tuple(
            fc.array(fc.constantFrom(...identities), { maxLength: 10, size: 'max' }),
            fc.constant(identities),
          )
          .chain(([extra, all]) => {
            const more = [...all, ...extra];
            return fc
              .shuffledSubarray([...more.keys()], { minLength: more.length })
              .map((order) => order.map((index) => more[index] as Identity));
          }),
      ),
    );
    const strip = ({ duplicates: _, ...rest }: ReturnType<typeof essence>) => rest;
    fc.assert(
      fc.property(
        twice,
        spread,
        spread,
        limits,
        limits,
        ([one, other], first, second, limitsOne, limitsOther) => {
          const of = (
            identities: readonly Identity[],
            [shards, steps]: typeof first,
            pageLimits: PageLimits,
          ) => {
            const events = identities.map(({ session, counter }) => contentOf(session, counter));
            return strip(essence(projected(deliveriesOf(events, shards, steps), pageLimits)));
          };
          expect(of(other, second, limitsOther)).toEqual(of(one, first, limitsOne));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('has as many late events as came below the newest one before them', () => {
    fc.assert(
      fc.property(
        fc.array(identity, { minLength: 1, maxLength: 20, size: 'max' }),
        spread,
        limits,
        (identities, [shards, steps], pageLimits) => {
          const seen = new Set<string>();
          let newest = -1;
          let late = 0;
          for (const { session, counter } of identities) {
            const rank = session * 100 + counter;
            if (!seen.has(`${session}.${counter}`) && rank < newest) late += 1;
            seen.add(`${session}.${counter}`);
            newest = Math.max(newest, rank);
          }
          const events = identities.map(({ session, counter }) => contentOf(session, counter));
          expect(projected(deliveriesOf(events, shards, steps), pageLimits).counts.late).toBe(late);
        },
      ),
    );
  });
});

const anyEvent: fc.Arbitrary<DeviceEvent> = fc.oneof(
  { weight: 4, arbitrary: identity.map(({ session, counter }) => contentOf(session, counter)) },
  {
    weight: 2,
    arbitrary: fc
      .nat(99)
      .map((value) => uncounted({ data: { speed: value, door: value % 2 ? 'open' : null } })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(5), fc.option(identity, { nil: undefined }))
      .map(([id, target]) =>
        corrected(`c-${id}`, { speed: `corrected by ${id}` }, id % 2 ? target : undefined),
      ),
  },
);
const anyDeliveries = fc
  .tuple(fc.array(anyEvent, { minLength: 1, maxLength: 25, size: 'max' }), spread)
  .map(([events, [shards, steps]]) => deliveriesOf(events, shards, steps));

describe('any events', () => {
  test('that are delivered again, from any earlier point of their shard, are not stored or counted again', () => {
    const redeliveries = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 12, size: 'max' });
    fc.assert(
      fc.property(anyDeliveries, redeliveries, limits, (deliveries, again, pageLimits) => {
        const chain = openChain(pageLimits);
        const delivered = new Map<ShardId, ArrivedEvent[]>();
        for (const [index, { shard, batch }] of deliveries.entries()) {
          const before = delivered.get(shard) ?? [];
          const [backBy = 0, turn = 0] = again[index % Math.max(1, again.length)] ?? [];
          // The batch begins earlier than the last one ended.
          const repeated = before.slice(before.length - (backBy % (before.length + 1)));
          chain.deliver(shard, [...repeated, ...batch]);
          delivered.set(shard, [...before, ...batch]);
          // And now and then another shard delivers all it had once more.
          const [other, all] = [...delivered][turn % delivered.size] ?? [];
          if (other === undefined || all === undefined || turn % 3 !== 0) continue;
          const { state } = chain;
          const outcomes = chain.deliver(other, all);
          expect(outcomes).toEqual({ applied: 0, late: 0, duplicate: 0, redelivered: all.length });
          expect(chain.state).toBe(state);
        }
        const direct = projected(deliveries, pageLimits);
        expect({ ...chain.state, page: 0 }).toEqual({ ...direct, page: 0 });
      }),
      { numRuns: 500 },
    );
  });

  test('are stored each once: the pages hold every identity, every position and every correction a single time', () => {
    fc.assert(
      fc.property(anyDeliveries, limits, (deliveries, pageLimits) => {
        const chain = openChain(pageLimits);
        for (const { shard, batch } of deliveries) chain.deliver(shard, batch);
        const keys = chain.pages.flatMap(({ shardId, events }) =>
          events.map(({ event, place }) => {
            if (event.correction !== undefined) return event.correction.correctionId;
            return event.identity === undefined
              ? `${shardId}:${place.sequenceNumber}`
              : `${event.identity.session}.${event.identity.counter}`;
          }),
        );
        expect(new Set(keys).size).toBe(keys.length);
        const arrivals = deliveries.flatMap(({ batch }) => batch);
        const { events, duplicates } = chain.state.counts;
        expect(events).toBe(keys.length);
        expect(events + duplicates).toBeLessThanOrEqual(arrivals.length);
      }),
      { numRuns: 500 },
    );
  });

  test('never have the same version twice', () => {
    fc.assert(
      fc.property(anyDeliveries, limits, (deliveries, pageLimits) => {
        const chain = openChain(pageLimits);
        for (const { shard, batch } of deliveries) chain.deliver(shard, batch);
        const versions = chain.pages
          .flatMap(({ events }) => events.map(({ version }) => version))
          .sort(compareVersions);
        for (const [index, version] of versions.entries()) {
          const next = versions[index + 1];
          if (next !== undefined) expect(compareVersions(version, next)).toBeLessThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('make chains whose pages are numbered without a gap, keyed by the arrivals before, and within their bounds', () => {
    fc.assert(
      fc.property(anyDeliveries, limits, (deliveries, pageLimits) => {
        const chain = openChain(pageLimits);
        for (const { shard, batch } of deliveries) chain.deliver(shard, batch);
        let arrivalMax = 0;
        for (const [index, page] of chain.pages.entries()) {
          expect(page).toMatchObject({ page: index + 1, arrivalMaxBefore: arrivalMax });
          expect(page.events.length).toBeLessThanOrEqual(pageLimits.eventsMax);
          const characters = page.events.reduce((sum, { text }) => sum + text.length, 0);
          if (page.events.length > 1) expect(characters).toBeLessThanOrEqual(pageLimits.charactersMax);
          arrivalMax = Math.max(arrivalMax, page.lastArrivalTime);
        }
        const { marks, receipts } = chain.state;
        expect(marks.size).toBeLessThanOrEqual(pageLimits.receipts.marksMax);
        expect(receipts.corrections.length).toBeLessThanOrEqual(pageLimits.receipts.correctionsMax);
      }),
      { numRuns: 500 },
    );
  });

  test('give the same state however much of them is remembered', () => {
    const forward = fc
      .tuple(fc.array(anyEvent, { minLength: 1, maxLength: 25, size: 'max' }), spread)
      .map(([events, [shards, steps]]) =>
        deliveriesOf(
          events,
          shards,
          steps.map((step) => Math.abs(step) + 1),
        ),
      );
    fc.assert(
      fc.property(forward, limits, (deliveries, pageLimits) => {
        expect(essence(projected(deliveries, pageLimits))).toEqual(
          essence(projected(deliveries, PAGE_LIMITS)),
        );
      }),
      { numRuns: 500 },
    );
  });
});
