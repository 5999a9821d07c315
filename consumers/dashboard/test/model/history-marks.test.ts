import { expect, test } from 'vitest';
import { marksOf, missingOf } from '../../src/model/history-marks.ts';
import { arrived, corrected, counted } from '../simulated-events.ts';

test('a jump of the counter is a gap of known size', () => {
  const [, jump] = marksOf([counted(0, 1, 10), counted(1, 1, 14)]);
  expect(jump?.gap).toEqual({ first: 11, last: 13, filled: 0 });
});

test('late events close the gap that they fall into', () => {
  const marks = marksOf([
    counted(0, 1, 10),
    counted(1, 1, 14),
    counted(2, 1, 12, { late: true }),
    counted(3, 1, 15),
    counted(4, 1, 11, { late: true }),
  ]);
  expect(marks[1]?.gap?.filled).toBe(2);
  expect(marks[1]?.gap && missingOf(marks[1].gap)).toBe(1);
  expect(marks[3]).toEqual({});
});

test('the first event of the stretch opens no gap: what came before is not known', () => {
  expect(marksOf([counted(0, 3, 500)])).toEqual([{}]);
});

test('a higher session is a new start, and its first counter no gap', () => {
  const marks = marksOf([counted(0, 1, 10), counted(1, 2, 7)]);
  expect(marks[1]).toEqual({ startsSession: true });
});

test('a late event of an older session starts nothing', () => {
  const marks = marksOf([
    counted(0, 1, 10),
    counted(1, 2, 1),
    counted(2, 1, 11, { late: true }),
    counted(3, 2, 2),
  ]);
  expect(marks[2]).toEqual({});
  expect(marks[3]).toEqual({});
});

test('a correction marks the event that it corrects, and counts nothing', () => {
  const marks = marksOf([counted(0, 1, 1), counted(1, 1, 2), corrected(2, 1, 1), counted(3, 1, 3)]);
  expect(marks).toEqual([{ wasCorrected: true }, {}, {}, {}]);
});

test('events that the device does not count have no gaps', () => {
  expect(marksOf([arrived(0), arrived(1)])).toEqual([{}, {}]);
});
