import { expect, test } from 'vitest';
import { originsOf } from '../../src/model/attribute-origins.ts';
import { arrivalMs } from '../../src/model/event.ts';
import { corrected, counted } from '../simulated-events.ts';

const first = counted(0, 1, 1, { data: { speed: 1, site: 'north' } });
const second = counted(1, 1, 3, { data: { speed: 3 } });
const late = counted(2, 1, 2, { data: { speed: 2, door: true }, late: true });

test('an attribute comes with the newest event that set it', () => {
  const origins = originsOf([first, second]);
  expect(origins.get('speed')).toMatchObject({
    time: arrivalMs(second),
    identity: { session: 1, counter: 3 },
  });
  expect(origins.get('site')?.time).toBe(arrivalMs(first));
});

test('a late event is the origin only of what it is newest for', () => {
  const origins = originsOf([first, second, late]);
  expect(origins.get('speed')?.time).toBe(arrivalMs(second));
  expect(origins.get('door')?.time).toBe(arrivalMs(late));
});

test('a correction of the newest event is the origin, and says so', () => {
  const origins = originsOf([first, second, corrected(3, 1, 3, { speed: 0 })]);
  expect(origins.get('speed')).toMatchObject({ isCorrection: true, identity: { session: 1, counter: 3 } });
});

test('a correction of an event that is no longer the newest changes nothing', () => {
  const origins = originsOf([first, second, corrected(3, 1, 1, { speed: 0 })]);
  expect(origins.get('speed')).toMatchObject({ isCorrection: false, time: arrivalMs(second) });
});

test('what came after the moment asked for is left out', () => {
  expect(originsOf([first, second], arrivalMs(first)).get('speed')?.time).toBe(arrivalMs(first));
});
