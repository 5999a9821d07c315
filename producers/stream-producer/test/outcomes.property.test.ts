import { CodedError } from '@twinstream/runtime';
import { seededRandom, virtualClock } from '@twinstream/test-kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PutOutcome } from '../src/put-outcome.ts';
import { createStreamProducer } from '../src/stream-producer.ts';
import type { StreamTransport } from '../src/transport.ts';
import { createKinesisStub } from './kinesis-stub.ts';
import { reshard } from './scenario.ts';

const EVENTS = 400;
const ERRORS = [
  new CodedError('STREAM_THROTTLED', 'injected', { retryable: true }),
  new CodedError('STREAM_UNAVAILABLE', 'injected', { retryable: true }),
  new CodedError('REQUEST_INVALID', 'injected'),
  new CodedError('STREAM_REJECTED', 'injected'),
  new TypeError('a fault of the transport'),
];

test('every accepted record has exactly one outcome, in the order of put, whatever the transport does and whenever close is aborted', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.boolean(),
      fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined }),
      async (seed, aggregate, abortAfterMs) => {
        const clock = virtualClock();
        const random = seededRandom(seed).next;
        const faults = {
          recordFails: 0.2,
          requestThrottled: 0.1,
          answerLost: 0.1,
          requestLost: 0.1,
          landsLate: 0.02,
        };
        const stub = createKinesisStub({ clock, seed, shardCount: 2, faults });
        const transport: StreamTransport = {
          listShards: stub.listShards,
          async putRecords(records, signal) {
            if (random() < 0.1) throw ERRORS[Math.floor(random() * ERRORS.length)];
            return stub.putRecords(records, signal);
          },
        };
        const outcomes: PutOutcome[] = [];
        let accepted = 0;
        let refused = 0;

        async function load(): Promise<void> {
          const producer = await createStreamProducer({
            transport,
            clock,
            random,
            aggregate,
            aggregateBytesMax: 300,
            recordBytesMax: 5_000,
            bufferBytesMax: 20_000,
            deadlineMs: 4_000,
            requestTimeoutMs: 300,
          });
          const abort = new AbortController();
          const aborted =
            abortAfterMs === undefined
              ? undefined
              : clock.sleep(abortAfterMs).then(() => {
                  abort.abort();
                  return producer.close(abort.signal);
                });
          for (let index = 0; index < EVENTS; index += 1) {
            if (index === EVENTS / 2) reshard(stub, random);
            const data = Buffer.from(String(index));
            try {
              await producer.put({ partitionKey: `device-${index % 13}`, data }, (outcome) => {
                outcomes.push(outcome);
              });
              accepted += 1;
            } catch (error) {
              expect(error).toMatchObject({ code: 'PRODUCER_CLOSED' });
              refused += 1;
            }
            if (index % 4 === 0) await clock.sleep(1);
          }
          const report = await producer.close();
          await aborted;
          const { userRecordsPut, userRecordsPending, bufferedBytes, putsWaiting } =
            producer.metrics.snapshot();
          expect({ userRecordsPut, userRecordsPending, bufferedBytes, putsWaiting }).toEqual({
            userRecordsPut: accepted,
            userRecordsPending: 0,
            bufferedBytes: 0,
            putsWaiting: 0,
          });
          expect(report.acknowledgedCount + report.failedCount).toBe(accepted);
        }
        await clock.run(load());

        expect(accepted + refused).toBe(EVENTS);
        expect(outcomes).toHaveLength(accepted);
        const last = new Map<string, number>();
        for (const { record } of outcomes) {
          const number = Number(Buffer.from(record.data).toString());
          expect(number).toBeGreaterThan(last.get(record.partitionKey) ?? -1);
          last.set(record.partitionKey, number);
        }
      },
    ),
    // The example: aborted after a reshard, while a lane that has taken over devices waits for the one that had them.
    { numRuns: 60, examples: [[2071739466, true, 1889]] },
  );
});
