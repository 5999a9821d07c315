import { type ArrivedEvent, type SourceCounter, withIdentityText } from '@twinstream/device-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { A, arrived, B, openChain, TINY_LIMITS, uncounted, valuesOf } from './device-chain.ts';

const BITS = 4;
const RANGE = 2 ** BITS;
const LATE_MAX = 2;

/** An event as the device made it: in its true session and at its true count, `lost` of which came before it in vain. */
interface Made {
  readonly session: number;
  readonly count: number;
}

/** Sessions of a device: how many counts each step of it advances, 1 where nothing was lost. */
const sessions = fc.array(
  fc.array(fc.integer({ min: 1, max: RANGE / 2 - LATE_MAX }), { minLength: 3, maxLength: 40 }),
  {
    minLength: 1,
    maxLength: 3,
  },
);
/** For each record put: 0 as it is, 1 before the one before it, 2 sent again, 3 and 4 with the restart of its session, or of the first one, sent again after it. */
const disorder = fc.array(fc.constantFrom(0, 0, 0, 1, 2, 3, 4), { minLength: 1, maxLength: 20 });

function madeBy(steps: readonly (readonly number[])[]): readonly Made[] {
  return steps.flatMap((session, number) => {
    let count = -1;
    return session.map((step, index) => {
      count += index === 0 ? 1 : step;
      return { session: number, count };
    });
  });
}

/** The records of the shard: single swaps and copies, neither across a restart nor beyond what counts as late, but for copies of restarts. */
function putBy(made: readonly Made[], disorders: readonly number[]): readonly Made[] {
  const put: Made[] = [];
  for (const [index, event] of made.entries()) {
    const disturbance = disorders[index % disorders.length];
    const last = put.at(-1);
    const isNear = last?.session === event.session && event.count - last.count <= LATE_MAX;
    const follows = made[index - 1] === last && last !== undefined && last.count > 0;
    if (disturbance === 1 && isNear && follows) put.splice(-1, 0, event);
    else put.push(event);
    if (disturbance === 2) put.push(event);
    const session = disturbance === 3 ? event.session : disturbance === 4 ? 0 : undefined;
    put.push(...made.filter((restart) => restart.session === session && restart.count === 0));
  }
  return put;
}

/** By the device's own clock. */
const timeOf = ({ session, count }: Made) => Date.UTC(2026, 0, 1, session, 0, count);

function recordsOf(put: readonly Made[]): readonly ArrivedEvent[] {
  return put.map(({ session, count }, index) => {
    const time = new Date(timeOf({ session, count })).toISOString();
    const event = uncounted({ time, data: { made: `${session}.${count}` } });
    const sourceCounter: SourceCounter = {
      counter: count % RANGE,
      bits: BITS,
      lateMax: LATE_MAX,
      restart: count === 0,
    };
    return { ...arrived(index + 1, event), sourceCounter };
  });
}

const scenario = fc.record({
  steps: sessions,
  disorders: disorder,
  /** Records in a batch, and how far back the next one begins again. */
  batches: fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.nat(60)), { minLength: 1, maxLength: 20 }),
  isTiny: fc.boolean(),
});

test('a wrapping counter becomes the identity of each event, whatever is put late, sent again, delivered again and in which batches', () => {
  fc.assert(
    fc.property(scenario, ({ steps, disorders, batches, isTiny }) => {
      const made = madeBy(steps);
      const records = recordsOf(putBy(made, disorders));
      const chain = openChain(isTiny ? TINY_LIMITS : undefined);
      let at = 0;
      for (let index = 0; at < records.length; index += 1) {
        const [size, back] = batches[index % batches.length] ?? [1, 0];
        // What the last batch reached is delivered again from anywhere before it, and then goes on.
        const from = Math.max(0, at - back);
        chain.deliver(A, records.slice(from, at + size));
        at += size;
      }
      const stored = chain.pages.flatMap(({ events }) => events);
      const identities = stored.map(({ event }) => [
        event.data.made,
        `${event.identity?.session}.${event.identity?.counter}`,
      ]);
      expect(identities.toSorted()).toEqual(
        made
          .map((event) => [
            `${event.session}.${event.count}`,
            `${timeOf({ ...event, count: 0 })}.${event.count}`,
          ])
          .toSorted(),
      );
      expect(chain.state.counts.duplicates).toBe(records.length - made.length);
      const newest = made.at(-1);
      expect(valuesOf(chain.state)).toEqual({ made: `${newest?.session}.${newest?.count}` });
    }),
    { numRuns: 150 },
  );
});

test('an event below the high-water mark that may be a restart keeps its position as its identity, and nothing is lost', () => {
  const records = recordsOf(
    putBy(
      madeBy([
        [1, 1, 1],
        [1, 1],
        [1, 1],
      ]),
      [0],
    ),
  );
  const chain = openChain();
  // The second session is missing at first: the third takes its number.
  chain.deliver(A, [...records.slice(0, 3), ...records.slice(5)]);
  chain.deliver(A, records.slice(3, 5));
  const stored = chain.pages.flatMap(({ events }) => events);
  expect(stored).toHaveLength(records.length);
  const late = stored.filter(({ late }) => late !== undefined);
  expect(late.map(({ event }) => event.data.made).toSorted()).toEqual(['1.0', '1.1']);
  expect(valuesOf(chain.state)).toEqual({ made: '2.1' });
  chain.deliver(A, records);
  expect(chain.pages.flatMap(({ events }) => events)).toHaveLength(records.length);
});

test('what a parent shard delivers after its child was read is compared with the events before it, not with the newest', () => {
  const wrapped = (at: number, count: number, arrivalTime: number): ArrivedEvent => {
    const [record] = recordsOf([{ session: 0, count }]);
    const { event, sourceCounter } = record as ArrivedEvent;
    const text = `{"time":"${event.time}","source":{"counter":${count % RANGE}},"data":{}}`;
    return { ...arrived(at, event, arrivalTime), text, ...(sourceCounter && { sourceCounter }) };
  };
  const chain = openChain();
  const before = [0, 1, 2, 3, 4].map((count) => wrapped(count + 1, count, count));
  chain.deliver(A, before);
  // The last records of the parent are not read: an event, and one that is sent again in the child.
  const left = [wrapped(6, 5, 6), wrapped(7, 6, 7)];
  chain.deliver(
    B,
    [6, 7, 9, 11, 13, 15, 17, 19].map((count, index) => wrapped(index + 1, count, 20 + index)),
  );
  chain.deliver(A, left);
  const stored = chain.pages.flatMap(({ events }) => events);
  expect(stored.map(({ event }) => event.identity?.counter)).toEqual([
    ...[0, 1, 2, 3, 4, 6, 7, 9, 11, 13, 15, 17, 19],
    5,
  ]);
  expect(new Set(stored.map(({ event }) => event.identity?.session)).size).toBe(1);
  expect(chain.state.counts).toMatchObject({ events: 14, duplicates: 1, late: 1 });
  expect(valuesOf(chain.state)).toEqual({ made: '0.19' });
});

test('an event whose place says nothing is compared with the one before it in its batch', () => {
  const chain = openChain(TINY_LIMITS);
  const [first, ...session] = recordsOf(
    putBy(
      madeBy([
        [1, 1, 1],
        [1, 1, 1],
      ]),
      [0],
    ),
  );
  // Another shard's high-water mark is dropped: what arrives before it may have been delivered, or not.
  chain.deliver(B, [{ ...(first as ArrivedEvent), arrivalTime: 100 }]);
  chain.deliver(A, session.map((record) => ({ ...record, arrivalTime: 200 })).slice(0, 2));
  chain.deliver(A, session.slice(2));
  const stored = chain.pages.flatMap(({ events }) => events);
  expect(stored.map(({ event }) => event.identity?.counter)).toEqual([0, 1, 2, 0, 1, 2]);
});

test('the stored text of an event has the identity beside its own words', () => {
  const text = '{"v":1,"total":98765432109876543210}';
  expect(withIdentityText(text, { session: 2, counter: 65_536 })).toBe(
    '{"session":2,"counter":65536,"v":1,"total":98765432109876543210}',
  );
});
