import { encodeEvent } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { encodeAggregate } from '@twinstream/stream-model';
import { expect, test } from 'vitest';
import { BUS, FINISHED, projectorFixture, record, reported, unfinished } from './projector-fixture.ts';

const POISON: readonly (readonly [string, Uint8Array | string])[] = [
  ['empty', ''],
  ['not-json', 'speed=17'],
  ['not-object', '[1]'],
  ['missing-device-id', '{"v":1,"type":"reported","time":"2026-01-01T00:00:00Z","data":{}}'],
  ['invalid-device-id', JSON.stringify({ ...reported(1), deviceId: 'x'.repeat(257) })],
  ['invalid-time', '{"v":1,"deviceId":"d","type":"reported","time":"yesterday","data":{}}'],
  ['too-large', 'x'.repeat(300 * 1024)],
  ['invalid-utf8', Uint8Array.of(0x7b, 0xff, 0x7d)],
  ['damaged-aggregate', Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2, 1, 2, 3)],
];

test.each(POISON)(
  '%s goes to quarantine and the next event of the shard is processed',
  async (reason, data) => {
    const { deliver, services } = projectorFixture();
    expect(await deliver([record(1, data), record(2, reported(1))])).toEqual(FINISHED);
    const [listing, ...others] = await Array.fromAsync(services.quarantine.list());
    expect(others).toEqual([]);
    const kept = await services.quarantine.read(listing?.key ?? '');
    expect(kept?.entries.map((entry) => entry.reason)).toEqual([reason]);
    expect(Buffer.from(kept?.data ?? [])).toEqual(Buffer.from(data));
    expect((await services.latestState.read(BUS))?.counts.events).toBe(1);
  },
);

test('of an aggregated record only the invalid events go to quarantine, and positions count them', async () => {
  const { deliver, services, pages } = projectorFixture();
  const entry = (data: Uint8Array) => ({ partitionKey: BUS, data });
  const aggregate = encodeAggregate([
    entry(encodeEvent(reported(1))),
    entry(new TextEncoder().encode('nonsense')),
    entry(encodeEvent(reported(2))),
  ]);
  expect(await deliver([record(1, aggregate)])).toEqual(FINISHED);
  const stored = (await pages()).flatMap(({ events }) => events);
  expect(stored.map(({ place }) => place.subSequenceNumber)).toEqual([0, 2]);
  const [listing] = await Array.fromAsync(services.quarantine.list());
  const kept = await services.quarantine.read(listing?.key ?? '');
  expect(kept?.entries.map(({ subSequenceNumber }) => subSequenceNumber)).toEqual([1]);
  expect(Buffer.from(kept?.data ?? [])).toEqual(Buffer.from(aggregate));
});

test('where quarantine itself fails, the batch fails there and nothing is lost', async () => {
  const { services, container } = projectorFixture();
  const failing = container({
    quarantine: {
      ...services.quarantine,
      put: async () => {
        throw new CodedError('QUARANTINE_UNAVAILABLE', 'away', { retryable: true });
      },
    },
  });
  expect(await failing([record(1, reported(1)), record(2, 'nonsense'), record(3, reported(2))])).toEqual(
    unfinished(2),
  );
});
