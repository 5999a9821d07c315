import { CodedError } from '@twinstream/runtime';
import { expect, test } from 'vitest';
import { createHarness, firstShard } from './harness.ts';

test.each([
  ['InternalFailure', true],
  ['ProvisionedThroughputExceededException', false],
] as const)(
  'a record that is rejected with %s until its deadline may have been stored: %s',
  async (errorCode, possiblyStored) => {
    const { clock, producer, put, outcomes } = await createHarness({
      producer: { lingerMs: 1, deadlineMs: 5_000 },
      wrap: ({ listShards }) => ({
        listShards,
        putRecords: async (records) =>
          records.map(() => ({ status: 'rejected' as const, errorCode, message: 'injected' })),
      }),
    });
    await put('a', '1');
    await clock.run(producer.flush());
    expect(outcomes).toMatchObject([{ status: 'failed', possiblyStored }]);
  },
);

test('what is left of an aggregate that waits for the map keeps its own index when the first record expires', async () => {
  let isMapHidden = false;
  const { clock, producer, put, stub, outcomes } = await createHarness({
    // Reads of the map are tried so often that one succeeds before the other records expire, whatever waits are drawn.
    producer: { aggregate: true, lingerMs: 3_000, deadlineMs: 5_000, backoff: { baseMs: 10, capMs: 100 } },
    wrap: ({ listShards, putRecords }) => ({
      putRecords,
      listShards: (nextToken, signal) =>
        isMapHidden
          ? Promise.reject(new CodedError('STREAM_UNAVAILABLE', 'injected', { retryable: true }))
          : listShards(nextToken, signal),
    }),
  });
  isMapHidden = true;
  stub.split(firstShard(stub));
  await put('a', '1');
  await clock.advance(2_000);
  await put('a', '2');
  await put('a', '3');
  await clock.advance(3_500);
  expect(stub.records).toHaveLength(1);
  expect(outcomes).toMatchObject([{ status: 'failed', possiblyStored: true }]);
  isMapHidden = false;
  await clock.run(producer.flush());
  const [aggregate] = stub.records;
  expect(outcomes.slice(1)).toMatchObject(
    [1, 2].map((subSequenceNumber) => ({
      status: 'acknowledged',
      position: { sequenceNumber: aggregate?.sequenceNumber, subSequenceNumber },
    })),
  );
});
