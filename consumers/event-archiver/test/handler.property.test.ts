import { createArchiver } from '@twinstream/event-archiver';
import { CodedError, createLogger } from '@twinstream/runtime';
import {
  compareSequenceNumbers,
  encodeAggregate,
  openRecord,
  readArchiveLine,
  sequenceNumber,
} from '@twinstream/stream-model';
import { lambdaBatch, lambdaContext } from '@twinstream/stream-model/testing';
import { virtualClock } from '@twinstream/test-kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Step, scriptedDeliveryStream } from './scripted-delivery-stream.ts';

const entry = fc.oneof(
  fc.uint8Array({ maxLength: 30 }),
  fc.jsonValue().map((value) => Buffer.from(`${JSON.stringify(value)}\n`)),
);
const payload = fc.oneof(
  entry,
  fc
    .array(fc.record({ partitionKey: fc.constantFrom('10', '2', 'bus-1'), data: entry }), { maxLength: 4 })
    .map((records) => encodeAggregate(records)),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .uniqueArray(fc.nat(5))
      .map((taken) => ({ reject: (index: number) => !taken.includes(index) })),
  },
  {
    weight: 2,
    arbitrary: fc.constant({ fail: new CodedError('DELIVERY_UNAVAILABLE', 'busy', { retryable: true }) }),
  },
  { weight: 1, arbitrary: fc.constant({ fail: new CodedError('DELIVERY_REFUSED', 'no rights') }) },
  { weight: 1, arbitrary: fc.constant<'hang'>('hang') },
);

test('whatever the delivery stream does, what is acknowledged is archived, byte for byte', async () => {
  const silent = createLogger('test', 'silent');
  await fc.assert(
    fc.asyncProperty(
      fc.array(payload, { minLength: 1, maxLength: 8 }),
      fc.array(step, { maxLength: 8 }),
      fc.integer({ min: 150, max: 900 }),
      async (payloads, script, packBytesMax) => {
        const records = payloads.map((data, index) => ({
          sequenceNumber: `${9 + index}`,
          partitionKey: 'lane',
          data,
          arrivalTime: 1_000 + index,
        }));
        const deliveryStream = scriptedDeliveryStream(script);
        const clock = virtualClock();
        const archive = createArchiver(
          { deliveryStream, clock, logger: silent, random: () => 0.5 },
          { packLimits: { lineBytesMax: 1_024_000, packBytesMax }, deadlineMarginMs: 0 },
        );
        const { batchItemFailures } = await clock.run(archive(lambdaBatch({ records }), lambdaContext()));
        const from = batchItemFailures[0] && sequenceNumber(batchItemFailures[0].itemIdentifier);

        const archived = deliveryStream.lines().map(readArchiveLine);
        const seen = new Map(
          archived.map((line) => [`${line.sequenceNumber}/${line.subSequenceNumber}`, line]),
        );
        const expected = new Set<string>();
        for (const record of records) {
          const number = sequenceNumber(record.sequenceNumber);
          for (const { subSequenceNumber, partitionKey, data } of openRecord({
            ...record,
            data: Buffer.from(record.data),
          }).entries) {
            const key = `${number}/${subSequenceNumber}`;
            expected.add(key);
            const line = seen.get(key);
            const isAcknowledged = from === undefined || compareSequenceNumbers(number, from) < 0;
            if (isAcknowledged) expect(line).toBeDefined();
            if (line !== undefined) {
              expect(line).toMatchObject({
                partitionKey,
                arrivalTime: record.arrivalTime,
                data: Buffer.from(data),
              });
            }
          }
        }
        expect([...seen.keys()].filter((key) => !expected.has(key))).toEqual([]);
        expect(deliveryStream.open).toBe(0);
      },
    ),
    { numRuns: 1_000 },
  );
});
