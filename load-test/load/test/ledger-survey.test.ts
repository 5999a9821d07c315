import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@twinstream/end-to-end';
import { sequenceNumber, sortableSequenceNumber } from '@twinstream/stream-model';
import { afterAll, expect, test } from 'vitest';
import { lastPlaces, surveyLedger } from '../src/ledger-survey.ts';

const folder = temporaryFolder();
const file = join(folder.path, 'ledger.ndjson');
const SHARD = 'shardId-000000000000';
const START_MS = 1_760_000_000_000;

afterAll(() => folder.dispose());

const place = (number: number) => sortableSequenceNumber(sequenceNumber(String(number)));
const sent = (deviceId: string, counter: number, afterMs: number, number: number) => ({
  deviceId,
  session: 5,
  counter,
  result: 'acknowledged',
  dueAtMs: START_MS + afterMs,
  sentAtMs: START_MS + afterMs,
  acknowledgedAtMs: START_MS + afterMs + 20,
  position: { shardId: SHARD, sequenceNumber: String(number), subSequenceNumber: 0 },
});
const seen = (counter: number, afterMs: number) => ({ session: 5, counter, atMs: START_MS + afterMs });
const rise = (number: number, afterMs: number) => ({
  through: place(number),
  atMs: START_MS + afterMs,
  arrivalMs: START_MS,
});

function ledger(...entries: readonly object[]): string {
  writeFileSync(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  return file;
}

test('an event is readable at the first look that shows its counter or a later one', async () => {
  const survey = await surveyLedger(
    ledger(sent('a', 1, 0, 10), sent('a', 2, 100, 11), sent('a', 3, 200, 12)),
    {
      sampled: { hot: [], others: ['a'] },
      states: new Map([['a', [seen(2, 300), seen(3, 1_200)]]]),
      progress: new Map([[SHARD, [rise(11, 350), rise(12, 1_300)]]]),
    },
  );
  expect(survey.readable).toMatchObject({ p50: expect.closeTo(300, -1), max: 1_000 });
  expect(survey.finished).toMatchObject({ p50: expect.closeTo(350, -1), max: 1_100 });
  expect(survey).toMatchObject({ events: 3, sampledEvents: 3, neverReadable: 0, neverFinished: 0 });
  expect(survey.acknowledged?.max).toBe(20);
  expect(survey.lastByShard.get(SHARD)).toBe(place(12));
});

test('events that never became readable or finished are counted, not passed over', async () => {
  const survey = await surveyLedger(ledger(sent('a', 1, 0, 10), sent('a', 2, 0, 11)), {
    sampled: { hot: ['a'], others: [] },
    states: new Map([['a', [seen(1, 50)]]]),
    progress: new Map([[SHARD, [rise(10, 50)]]]),
  });
  expect(survey).toMatchObject({ neverReadable: 1, neverFinished: 1 });
});

test('a sampled device stands for the others as often as they have more events', async () => {
  // The hot device has one event in eleven; unweighted it would make half of the sample.
  const others = Array.from({ length: 10 }, (_, index) => sent(`b${index}`, 1, 0, 20 + index));
  const survey = await surveyLedger(ledger(sent('hot', 1, 0, 10), ...others), {
    sampled: { hot: ['hot'], others: ['b0'] },
    states: new Map([
      ['hot', [seen(1, 5_000)]],
      ['b0', [seen(1, 100)]],
    ]),
  });
  expect(survey.readable).toMatchObject({ p50: expect.closeTo(100, -1), max: 5_000 });
});

test('what was not acknowledged is not counted; damaged ones are counted apart', async () => {
  const { position: _, acknowledgedAtMs: __, ...unsent } = sent('a', 9, 0, 0);
  const survey = await surveyLedger(
    ledger(
      { ...sent('a', 1, 0, 10), rejection: 'not-json', base64: 'e30=' },
      { ...unsent, result: 'dropped' },
      { ...unsent, result: 'failed', reason: 'TIMEOUT' },
    ),
    { sampled: { hot: [], others: [] }, states: new Map() },
  );
  expect(survey).toMatchObject({ events: 0, malformed: 1, dropped: 1, failed: 1 });
});

test('the end of a ledger names the last place of every shard', async () => {
  const other = {
    ...sent('a', 3, 0, 7),
    position: { shardId: 'other', sequenceNumber: '7', subSequenceNumber: 0 },
  };
  const places = await lastPlaces(ledger(sent('a', 1, 0, 9), sent('a', 2, 0, 10), other));
  expect(Object.fromEntries(places)).toEqual({ [SHARD]: place(10), other: place(7) });
});
