import { CodedError } from '@twinstream/runtime';
import { steppingClock } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import type { Ledger } from '../../src/sending/ledger.ts';
import type { PlannedEvent } from '../../src/sending/planned-event.ts';
import { type SendOptions, sendEvents } from '../../src/sending/send-events.ts';
import { createTally, type Tally } from '../../src/sending/tally.ts';
import { type FakeProducer, fakeProducer } from './fake-producer.ts';
import { listedSource, planned, textOf } from './listed-source.ts';

const LINE_END = 0x0a;

interface Run {
  readonly tally: Tally;
  readonly producer: FakeProducer;
  readonly lines: readonly Record<string, unknown>[];
}

function memoryLedger(): Ledger & { readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  return {
    lines,
    write: ({ head, event }) => {
      expect(event === undefined ? head.endsWith('}\n') : event.at(-1) === LINE_END).toBe(true);
      lines.push(JSON.parse(event === undefined ? head : `${head}${Buffer.from(event)}}`));
    },
    room: () => undefined,
    close: async () => undefined,
  };
}

async function send(
  events: readonly PlannedEvent[],
  { producer = fakeProducer(), ...more }: Partial<SendOptions> & { producer?: FakeProducer } = {},
): Promise<Run> {
  const tally = createTally();
  const ledger = memoryLedger();
  await sendEvents({
    source: listedSource(events),
    producer,
    tally,
    ledger,
    clock: steppingClock(1_000),
    startMs: 1_000,
    delayMsMax: 100,
    stop: new AbortController().signal,
    ...more,
  });
  await producer.close();
  return { tally, producer, lines: ledger.lines };
}

describe('sending', () => {
  test('waits until each event is due, and hands it over as a line of JSON under its device', async () => {
    const clock = steppingClock(1_000);
    const events = [0, 10, 10, 25].map((dueMs, index) => planned('a', index + 1, { dueMs }));
    const { producer, tally } = await send(events, { clock });
    expect(clock.sleepsMs).toEqual([10, 15]);
    expect(producer.records.map(({ sentAtMs, dueAtMs }) => [sentAtMs, dueAtMs])).toEqual([
      [1_000, 1_000],
      [1_010, 1_010],
      [1_010, 1_010],
      [1_025, 1_025],
    ]);
    expect(
      producer.records.map(({ partitionKey, data }) => [partitionKey, Buffer.from(data).toString()]),
    ).toEqual(events.map((event) => ['a', `${textOf(event)}\n`]));
    expect(tally.counts()).toMatchObject({ scheduled: 4, sent: 4, acknowledged: 4, dropped: 0, failed: 0 });
  });

  test('counts latency from when an event was due, not from when it could be sent', async () => {
    const clock = steppingClock(1_000);
    const producer = fakeProducer({ answers: false });
    const late = { ...clock, now: () => clock.now() + 40 };
    const { tally } = await send([planned('a', 1, { dueMs: 0 })], { clock: late, producer });
    expect(tally.latency().max).toBe(40);
  });

  test('counts latency from the handing over where there is no schedule', async () => {
    const clock = steppingClock(5_000);
    const { tally, lines } = await send([planned('a', 1)], { clock });
    expect(tally.latency().max).toBe(0);
    expect(lines).toMatchObject([{ dueAtMs: 5_000, sentAtMs: 5_000 }]);
  });

  test('drops what could not be sent in time, and says so', async () => {
    const clock = steppingClock(1_000);
    clock.advance(150);
    const events = [0, 49, 50, 60].map((dueMs, index) => planned('a', index + 1, { dueMs }));
    const { tally, producer, lines } = await send(events, { clock });
    expect(producer.records.map(({ n }) => n)).toEqual([3, 4]);
    expect(tally.counts()).toMatchObject({ scheduled: 4, sent: 2, acknowledged: 2, dropped: 2 });
    expect(lines.filter(({ result }) => result === 'dropped')).toMatchObject([
      { n: 1, counter: 1, dueAtMs: 1_000 },
      { n: 2, counter: 2, dueAtMs: 1_049 },
    ]);
  });

  test('never drops when it may be late without limit', async () => {
    const clock = steppingClock(1_000);
    clock.advance(1e9);
    const { tally } = await send([planned('a', 1, { dueMs: 0 })], {
      clock,
      delayMsMax: Number.POSITIVE_INFINITY,
    });
    expect(tally.counts()).toMatchObject({ sent: 1, dropped: 0 });
  });

  test('withholds what the drop fault strikes: it is neither scheduled nor dropped', async () => {
    const { tally, producer, lines } = await send([planned('a', 1, { fault: 'drop' }), planned('a', 2)]);
    expect(producer.records).toHaveLength(1);
    expect(tally.counts()).toMatchObject({ scheduled: 1, acknowledged: 1, dropped: 0 });
    expect(tally.faults()).toMatchObject({ drop: 1 });
    expect(lines).toMatchObject([
      { n: 1, result: 'withheld', fault: 'drop' },
      { n: 2, result: 'acknowledged' },
    ]);
  });

  test('waits while the producer has no room, without changing the order', async () => {
    const events = Array.from({ length: 50 }, (_, index) => planned('a', index + 1));
    const { producer, tally } = await send(events, { producer: fakeProducer({ room: 3 }) });
    expect(producer.records.map(({ n }) => n)).toEqual(events.map((_, index) => index + 1));
    expect(tally.counts().acknowledged).toBe(50);
  });

  test('lets answers come in between, however many events are due together', async () => {
    const producer = fakeProducer({ answers: false });
    const timer = setImmediate(() => producer.acknowledgeAll());
    const events = Array.from({ length: 1_000 }, (_, index) => planned('a', index + 1, { dueMs: 0 }));
    const { tally } = await send(events, { producer });
    clearImmediate(timer);
    expect(tally.counts().acknowledged).toBe(1_000);
  });

  test('waits for the ledger when it has no room', async () => {
    let asked = 0;
    const ledger = { ...memoryLedger(), room: () => (asked++ % 2 === 0 ? Promise.resolve() : undefined) };
    const { tally } = await send([planned('a', 1), planned('a', 2)], { ledger });
    expect(asked).toBe(2);
    expect(tally.counts().acknowledged).toBe(2);
  });

  test('ends when the ledger can no longer be written', async () => {
    const ledger = {
      ...memoryLedger(),
      room: () => Promise.reject(new CodedError('LEDGER_UNWRITABLE', 'full')),
    };
    await expect(send([planned('a', 1), planned('a', 2)], { ledger })).rejects.toThrow('full');
  });

  test('keeps nothing for a ledger that is not asked for', async () => {
    const { producer } = await send([planned('a', 1)], { ledger: undefined });
    expect(producer.records.map((record) => record.planned)).toEqual([undefined]);
  });
});

describe('an event that fails', () => {
  test('is counted by its reason, and whether it ever left', async () => {
    const producer = fakeProducer({ room: 1, answers: false });
    const sending = send([planned('a', 1), planned('a', 2)], { producer });
    producer.failAll('EVENT_EXPIRED', { attempts: 3, possiblyStored: true });
    const { tally, lines } = await sending;
    expect(tally.counts()).toMatchObject({
      sent: 2,
      acknowledged: 1,
      failed: 1,
      retried: 2,
      possiblyStored: 1,
    });
    expect(tally.failedByReason()).toEqual({ EVENT_EXPIRED: 1 });
    expect(lines.find(({ result }) => result === 'failed')).toMatchObject({
      n: 1,
      reason: 'EVENT_EXPIRED',
      attempts: 3,
      possiblyStored: true,
    });
  });

  test('because the producer refuses it is counted, and the next is sent', async () => {
    const inner = fakeProducer();
    const producer: FakeProducer = {
      ...inner,
      put: (record, onOutcome) =>
        record.n === 1
          ? Promise.reject(new CodedError('RECORD_TOO_LARGE', 'large'))
          : inner.put(record, onOutcome),
    };
    const { tally, lines } = await send([planned('a', 1), planned('a', 2)], { producer });
    expect(tally.counts()).toMatchObject({ scheduled: 2, sent: 1, acknowledged: 1, failed: 1 });
    expect(tally.inFlight()).toBe(0);
    expect(lines[0]).toMatchObject({ n: 1, result: 'failed', reason: 'RECORD_TOO_LARGE', attempts: 0 });
  });

  test('because the stream refuses for good ends the run with that error', async () => {
    const producer = fakeProducer({ room: 1, answers: false });
    const tally = createTally();
    const events = Array.from({ length: 10 }, (_, index) => planned('a', index + 1));
    const sending = send(events, { producer, tally });
    producer.failAll('STREAM_REJECTED');
    await expect(sending).rejects.toMatchObject({ code: 'STREAM_REJECTED' });
    expect(producer.records.length).toBeLessThan(4);
  });
});

describe('a run that is stopped', () => {
  test('sends nothing more, also while it waits for the next event to be due', async () => {
    const stop = new AbortController();
    const clock = steppingClock(1_000);
    const stopping = {
      ...clock,
      sleep: async () => {
        stop.abort();
        throw new Error('aborted');
      },
    };
    const events = [planned('a', 1, { dueMs: 0 }), planned('a', 2, { dueMs: 50 })];
    const { tally, producer } = await send(events, { clock: stopping, stop: stop.signal });
    expect(producer.records).toHaveLength(1);
    expect(tally.counts()).toMatchObject({ scheduled: 1, acknowledged: 1 });
  });

  test('does not count an event that the closing producer no longer takes', async () => {
    const stop = new AbortController();
    const producer = fakeProducer({ room: 1, answers: false });
    const tally = createTally();
    const sending = send([planned('a', 1), planned('a', 2)], { producer, stop: stop.signal, tally });
    stop.abort();
    await producer.close(AbortSignal.abort());
    await sending;
    expect(tally.counts()).toMatchObject({ scheduled: 1, failed: 1, acknowledged: 0 });
    expect(tally.failedByReason()).toEqual({ PRODUCER_ABORTED: 1 });
  });

  test('does not take a failing clock for a stop', async () => {
    const clock = { ...steppingClock(1_000), sleep: () => Promise.reject(new Error('broken clock')) };
    await expect(send([planned('a', 1, { dueMs: 50 })], { clock })).rejects.toThrow('broken clock');
  });
});
