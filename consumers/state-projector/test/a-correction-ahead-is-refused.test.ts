import {
  type DeviceEvent,
  type DeviceId,
  encodeEvent,
  eventText,
  type JsonObject,
  planPage,
} from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { encodeAggregate, sequenceNumber, shardId } from '@twinstream/stream-model';
import { expect, test } from 'vitest';
import {
  BUS,
  FINISHED,
  projectorFixture,
  record,
  reported,
  SHARD,
  T0,
  unfinished,
} from './projector-fixture.ts';

function corrected(
  correctionId: string,
  corrects: { readonly session: number; readonly counter: number } | undefined,
  data: JsonObject = { n: 'corrected' },
  deviceId: DeviceId = BUS,
): DeviceEvent {
  const correction = { correctionId, reason: 'r', actor: 'ann', ...(corrects && { corrects }) };
  return { v: 1, deviceId, type: 'corrected', time: '2026-01-01T00:00:00Z', data, correction };
}

type Fixture = ReturnType<typeof projectorFixture>;
const shownValue = async ({ services }: Fixture) =>
  (await services.latestState.read(BUS))?.attributes.get('n')?.value;
/** What lies in quarantine: sequence number, and sub-sequence number and reason of each entry. */
async function quarantined({ services }: Fixture) {
  const found = [];
  for await (const { key, sequenceNumber } of services.quarantine.list()) {
    const kept = await services.quarantine.read(key);
    found.push([sequenceNumber, ...(kept?.entries ?? []).map((e) => `${e.subSequenceNumber} ${e.reason}`)]);
  }
  return found;
}

test.each([
  ['of a later session', { session: 2, counter: 0 }],
  ['of a counter beyond the highest', { session: 1, counter: 2 }],
])('a correction %s goes to quarantine by name, and pins nothing', async (_what, corrects) => {
  const fixture = projectorFixture();
  const { deliver, summaries } = fixture;
  await deliver([record(1, reported(1))]);
  expect(await deliver([record(2, corrected('c1', corrects))])).toEqual(FINISHED);
  expect(await quarantined(fixture)).toEqual([['2', '0 correction-ahead']]);
  expect(summaries.at(-1)).toMatchObject({ quarantined: 1, applied: 0 });
  await deliver([record(3, reported(2))]);
  expect(await shownValue(fixture)).toBe(2);
  expect((await fixture.pages()).flatMap(({ events }) => events)).toHaveLength(2);
});

test('a correction of what the device has come to is stored, in the very batch that brings it', async () => {
  const fixture = projectorFixture();
  await fixture.deliver([record(1, reported(7)), record(2, corrected('c1', { session: 1, counter: 7 }))]);
  expect([await shownValue(fixture), await quarantined(fixture)]).toEqual(['corrected', []]);
});

test('a correction is judged by the end of the chain, not by what a container remembers', async () => {
  const fixture = projectorFixture();
  const stale = fixture.container();
  await stale([record(1, reported(1))]);
  await fixture.deliver([record(2, reported(2))]);
  await stale([record(3, corrected('c1', { session: 1, counter: 2 }))]);
  expect([await shownValue(fixture), await quarantined(fixture)]).toEqual(['corrected', []]);
});

test('a refused correction is refused again by each delivery, and lies in quarantine once', async () => {
  const fixture = projectorFixture();
  const batch = [record(1, reported(1)), record(2, corrected('c1', { session: 9, counter: 1 }))];
  for (const deliver of [fixture.deliver, fixture.container(), fixture.deliver]) await deliver(batch);
  expect(await quarantined(fixture)).toEqual([['2', '0 correction-ahead']]);
  expect((await fixture.pages()).flatMap(({ events }) => events)).toHaveLength(1);
});

test('of an aggregated record one object holds all that is refused', async () => {
  const fixture = projectorFixture();
  const entry = (data: Uint8Array) => ({ partitionKey: BUS, data });
  const aggregate = encodeAggregate([
    entry(encodeEvent(corrected('c1', { session: 5, counter: 1 }))),
    entry(encodeEvent(reported(1))),
    entry(new TextEncoder().encode('nonsense')),
    entry(encodeEvent(corrected('c2', { session: 5, counter: 2 }, {}, 'tram-1' as DeviceId))),
  ]);
  await fixture.deliver([record(1, aggregate)]);
  expect(await quarantined(fixture)).toEqual([
    ['1', '0 correction-ahead', '2 not-json', '3 correction-ahead'],
  ]);
});

test('a record counts as finished only once its refused correction is in quarantine', async () => {
  const fixture = projectorFixture();
  const failing = fixture.container({
    quarantine: {
      ...fixture.services.quarantine,
      put: async () => {
        throw new CodedError('QUARANTINE_UNAVAILABLE', 'away', { retryable: true });
      },
    },
  });
  const batch = [record(1, reported(1)), record(2, corrected('c1', { session: 9, counter: 1 }))];
  expect(await failing(batch)).toEqual(unfinished(2));
  expect(await fixture.deliver(batch)).toEqual(FINISHED);
  expect(await quarantined(fixture)).toEqual([['2', '0 correction-ahead']]);
});

/** A store in which a correction stands that was accepted ahead of its device. */
async function pinned(): Promise<Fixture> {
  const fixture = projectorFixture();
  await fixture.deliver([record(1, reported(1))]);
  const head = await fixture.services.latestState.read(BUS);
  const event = corrected('c1', { session: 9, counter: 1 }, { n: 'wrong' });
  const place = { sequenceNumber: sequenceNumber('2'), subSequenceNumber: 0 };
  const arrived = [{ place, arrivalTime: T0 + 2, event, text: eventText(event) }];
  const plan = head && planPage(head, shardId(SHARD), arrived);
  if (plan?.kind !== 'page') throw new Error('it was not planned');
  await fixture.services.eventStore.appendPage(plan.page);
  await fixture.services.latestState.write(plan.next);
  await fixture.deliver([record(3, reported(2))]);
  expect(await shownValue(fixture)).toBe('wrong');
  return fixture;
}

test.each([
  ['without a target', undefined],
  ['with the target that it has', { session: 9, counter: 1 }],
])('what stands ahead is repaired by a correction of that attribute %s', async (_what, corrects) => {
  const fixture = await pinned();
  await fixture.deliver([record(4, corrected('c2', corrects, { n: 'right' }))]);
  expect([await shownValue(fixture), await quarantined(fixture)]).toEqual(['right', []]);
  // One of another attribute is still refused.
  await fixture.deliver([record(5, corrected('c3', { session: 9, counter: 1 }, { other: 1 }))]);
  expect(await quarantined(fixture)).toEqual([['5', '0 correction-ahead']]);
});
