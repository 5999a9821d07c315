import { correctionAhead, newDevice, planPage } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import { A, arrived, corrected, counted, DEVICE, openChain } from './device-chain.ts';

/** A device at 5:10 that said its speed there, and its load at 4:7. */
const chain = openChain();
chain.deliver(A, [
  arrived(1, counted(4, 7, { data: { load: 1 } })),
  arrived(2, counted(5, 10, { data: { speed: 1 } })),
]);
const { state } = chain;
const ahead = (session: number, counter: number, data: Record<string, number> = { speed: 2 }) =>
  correctionAhead(state, corrected('c', data, { session, counter }));

describe('a correction is refused as ahead of its device', () => {
  test.each([
    [5, 10, false],
    [5, 11, true],
    [5, 9, false],
    [4, 99, false],
    [6, 0, true],
  ])('at 5:10 where it corrects %i:%i: %s', (session, counter, isAhead) => {
    expect(ahead(session, counter)?.rejected).toBe(isAhead ? 'correction-ahead' : undefined);
  });

  test('with the device and the target in its words', () => {
    expect(ahead(6, 1)?.detail).toBe('corrects 6:1, but the device has come to 5:10');
    const never = correctionAhead(newDevice(DEVICE), corrected('c', { a: 1 }, { session: 0, counter: 0 }));
    expect(never?.detail).toBe('corrects 0:0, but the device has no counted event yet');
    const { state: first } = (() => {
      const started = openChain();
      started.deliver(A, [arrived(1, counted(0, 0))]);
      return started;
    })();
    const next = correctionAhead(first, corrected('c', { a: 1 }, { session: 0, counter: 1 }));
    expect(next?.detail).toBe('corrects 0:1, but the device has come to 0:0');
  });

  test('never where it names no target, and never for what the device says', () => {
    expect(correctionAhead(state, corrected('c', { speed: 2 }))).toBeUndefined();
    expect(correctionAhead(state, counted(9, 9, { data: { speed: 2 } }))).toBeUndefined();
  });

  test('unless an attribute that it sets has that target or a later one already', () => {
    const pinned = openChain();
    pinned.deliver(A, [
      arrived(1, counted(5, 10)),
      arrived(2, corrected('pin', { speed: 9 }, { session: 7, counter: 3 })),
    ]);
    const again = (session: number, counter: number, data: Record<string, number>) =>
      correctionAhead(pinned.state, corrected('undo', data, { session, counter }))?.rejected;
    expect(again(7, 3, { speed: 1 })).toBeUndefined();
    expect(again(7, 2, { load: 1, speed: 1 })).toBeUndefined();
    expect(again(7, 4, { speed: 1 })).toBe('correction-ahead');
    expect(again(8, 0, { speed: 1 })).toBe('correction-ahead');
    expect(again(7, 3, { load: 1 })).toBe('correction-ahead');
  });
});

describe('a plan', () => {
  const events = [
    arrived(8, corrected('ahead', { speed: 9 }, { session: 9, counter: 9 })),
    arrived(9, counted(5, 11, { data: { speed: 3 } })),
  ];

  test('refuses corrections ahead at acceptance: they are taken and leave no trace in the page', () => {
    const plan = planPage(state, A, events, { refusesAhead: true });
    expect(plan).toMatchObject({
      kind: 'page',
      taken: 2,
      outcomes: { applied: 1, late: 0, duplicate: 0, redelivered: 0 },
      refused: [{ rejected: 'correction-ahead', arrived: events[0] }],
      page: { events: [{ event: { identity: { session: 5, counter: 11 } } }] },
    });
  });

  test('that has nothing but refused corrections writes no page', () => {
    expect(planPage(state, A, events.slice(0, 1), { refusesAhead: true })).toMatchObject({
      kind: 'settled',
      taken: 1,
      refused: [{ rejected: 'correction-ahead' }],
    });
  });

  test('lays out again what was accepted once', () => {
    expect(planPage(state, A, events)).toMatchObject({ refused: [], outcomes: { applied: 2 } });
  });
});
