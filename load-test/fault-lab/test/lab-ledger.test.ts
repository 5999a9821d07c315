import { expect, test } from 'vitest';
import { idOf, LabLedger, recordsIn } from '../src/lab-ledger.ts';

function ledgerOf(...keys: readonly string[]): LabLedger {
  const ledger = new LabLedger();
  for (const key of keys) ledger.put(key, 0);
  return ledger;
}

const first = { key: 'device-1', number: 1 };
const second = { key: 'device-1', number: 2 };

test('finds records in what a consumer prints, whatever stands around them', () => {
  const line = `12:00 INFO {"id":"${idOf(first)}"} and "${idOf(second)}".`;
  expect(recordsIn(line)).toEqual([first, second]);
  expect(recordsIn('no record of the lab')).toEqual([]);
});

test('a record that was never reported is lost', () => {
  const ledger = ledgerOf('device-1', 'device-1');
  ledger.report(second, 5);
  expect(ledger.counts()).toMatchObject({ stored: 2, processed: 1, lost: 1, repeated: 0, reordered: 0 });
  expect(ledger.examples().lost).toEqual([idOf(first)]);
});

test('a record first reported after a later one of its key is reordered; of other keys it is not', () => {
  const ledger = ledgerOf('device-1', 'device-1', 'device-2');
  ledger.report({ key: 'device-2', number: 1 }, 1);
  ledger.report(second, 2);
  ledger.report(first, 3);
  expect(ledger.counts()).toMatchObject({ lost: 0, repeated: 0, reordered: 1 });
  expect(ledger.examples().reordered).toEqual([idOf(first)]);
});

test('a report again is a repetition, unless the stream holds the record twice', () => {
  const ledger = ledgerOf('device-1');
  ledger.put('device-1', 0, 2);
  for (const record of [first, first, second, second]) ledger.report(record, 1);
  expect(ledger.counts()).toMatchObject({ storedTwice: 1, repeated: 1, reordered: 0, lost: 0 });
  ledger.report(second, 2);
  expect(ledger.counts()).toMatchObject({ repeated: 2 });
  expect(ledger.examples().repeated).toEqual([idOf(first), idOf(second)]);
});

test('what was never put is counted apart', () => {
  const ledger = ledgerOf('device-1');
  ledger.report({ key: 'device-9', number: 1 }, 1);
  ledger.report(second, 1);
  expect(ledger.counts()).toMatchObject({ unknown: 2, processed: 0 });
});

test('tells how long the slowest record took from its put to its first report', () => {
  const ledger = ledgerOf('device-1', 'device-1');
  ledger.report(first, 40);
  ledger.report(second, 90);
  ledger.report(first, 5_000);
  expect(ledger.counts().slowestMs).toBe(90);
});
