import { type ArchivePack, deliverPacks, requestsOf } from '@twinstream/event-archiver';
import { CodedError } from '@twinstream/runtime';
import { sequenceNumber } from '@twinstream/stream-model';
import { virtualClock } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { type Step, scriptedDeliveryStream } from './scripted-delivery-stream.ts';

const pack = (number: number, bytes = 10): ArchivePack => ({
  from: sequenceNumber(`${number}`),
  data: Buffer.from(`${`${number}`.padEnd(bytes - 1, 'x')}\n`),
  lines: { event: 1, base64: 0, tooLarge: 0 },
});
const packs = [1, 2, 3, 4].map((number) => pack(number));
const busy = new CodedError('DELIVERY_UNAVAILABLE', 'busy', { retryable: true });

async function deliver(
  script: readonly Step[],
  source: readonly ArchivePack[] = packs,
  signal = new AbortController().signal,
) {
  const deliveryStream = scriptedDeliveryStream(script);
  const clock = virtualClock({ startMs: 0 });
  const report = await clock.run(deliverPacks({ deliveryStream, clock, random: () => 0.5 }, source, signal));
  const taken = deliveryStream.lines().map((line) => line.replace(/x*$/, ''));
  return { deliveryStream, report, taken, elapsedMs: clock.now() };
}

describe('delivering packs', () => {
  test('everything goes in one request when everything is taken', async () => {
    const { report, taken } = await deliver([]);
    expect(taken).toEqual(['1', '2', '3', '4']);
    expect(report).toEqual({
      lines: { event: 4, base64: 0, tooLarge: 0 },
      packs: 4,
      bytes: 40,
      requests: 1,
      retried: 0,
    });
  });

  test('only what was not taken is sent again', async () => {
    const { deliveryStream, report, taken } = await deliver([
      { reject: (index) => index % 2 === 1 },
      { reject: (index) => index === 0 },
    ]);
    expect(deliveryStream.requests.map((request) => request.length)).toEqual([4, 2, 1]);
    expect(taken.sort()).toEqual(['1', '2', '3', '4']);
    expect(report).toMatchObject({ packs: 4, requests: 3, retried: 3 });
    expect(report.unfinishedFrom).toBeUndefined();
  });

  test('a request without an answer is sent again whole', async () => {
    const { report, taken } = await deliver([{ fail: busy }]);
    expect(taken).toEqual(['1', '2', '3', '4']);
    expect(report).toMatchObject({ requests: 2, retried: 4 });
  });

  test('waits longer from try to try, drawn at random below a doubling bound', async () => {
    const { elapsedMs } = await deliver(Array(8).fill({ fail: busy }));
    // Half of 100, 200, 400, 800, 1,600, and then of the cap of 3,000.
    expect(elapsedMs).toBe(50 + 100 + 200 + 400 + 800 + 1_500 * 3);
  });

  test('stops at the deadline, at the earliest pack that was not taken', async () => {
    const controller = new AbortController();
    const rejectAll: Step = { reject: () => true };
    const abortThen: Step = {
      reject: (index) => {
        controller.abort(new Error('deadline'));
        return index > 1;
      },
    };
    const { report, taken } = await deliver([rejectAll, abortThen], packs, controller.signal);
    expect(taken).toEqual(['1', '2']);
    expect(report).toMatchObject({
      unfinishedFrom: '3',
      packs: 2,
      failure: { code: 'DELIVERY_UNAVAILABLE' },
    });
  });

  test('does not begin after the deadline', async () => {
    const { deliveryStream, report } = await deliver([], packs, AbortSignal.abort(new Error('deadline')));
    expect(deliveryStream.requests).toEqual([]);
    expect(report).toMatchObject({ unfinishedFrom: '1', requests: 0 });
  });

  test.each([
    ['a delivery stream that refuses', new CodedError('DELIVERY_REFUSED', 'no such stream')],
    ['an error of no known kind', new TypeError('bug')],
  ])('sends nothing again after %s', async (_, error) => {
    const { deliveryStream, report } = await deliver([{ fail: error }]);
    expect(deliveryStream.requests.length).toBe(1);
    expect(report).toMatchObject({ unfinishedFrom: '1', failure: error, packs: 0 });
  });

  test('does not send what follows a request that cannot be finished', async () => {
    const many = Array.from({ length: 501 }, (_, index) => pack(index + 1));
    const refused = new CodedError('DELIVERY_REFUSED', 'no rights');
    const { deliveryStream, report } = await deliver(
      [{ reject: (index) => index > 0 }, { fail: refused }],
      many,
    );
    expect(deliveryStream.requests.length).toBe(2);
    expect(report).toMatchObject({ unfinishedFrom: '2', packs: 1 });
  });

  test('nothing to deliver is delivered', async () => {
    const { deliveryStream, report } = await deliver([], []);
    expect(deliveryStream.requests).toEqual([]);
    expect(report.unfinishedFrom).toBeUndefined();
  });
});

describe('grouping packs into requests', () => {
  test('a request holds at most 500 records', () => {
    const sizes = [...requestsOf(Array.from({ length: 1_001 }, (_, index) => pack(index)))].map(
      ({ length }) => length,
    );
    expect(sizes).toEqual([500, 500, 1]);
  });

  test('a request stays within 4 MiB in base64, for packs of any size', () => {
    for (const bytes of [250 * 1024, 999_999, 1_000 * 1024]) {
      const requests = [...requestsOf(Array.from({ length: 20 }, (_, index) => pack(index, bytes)))];
      expect(requests.flat().length).toBe(20);
      for (const request of requests) {
        const Records = request.map(({ data }) => ({ Data: data.toString('base64') }));
        const body = JSON.stringify({ DeliveryStreamName: 'x'.repeat(64), Records });
        expect(body.length).toBeLessThanOrEqual(4 * 1024 * 1024);
      }
      expect(requests.length).toBeLessThanOrEqual(Math.ceil((20 * bytes * 4) / 3 / (4 * 1024 * 1024)) + 2);
    }
  });
});
