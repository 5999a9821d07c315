import { deviceId } from '@twinstream/device-model';
import { virtualClock } from '@twinstream/test-kit';
import { expect, test } from 'vitest';
import { createKeptLists, type KeptListsOptions } from '../../src/fleet/kept-lists.ts';

function keptLists(options: Partial<KeptListsOptions> = {}) {
  let ids = 0;
  const clock = virtualClock();
  const newId = () => {
    ids += 1;
    return `list-${ids}`;
  };
  return { clock, lists: createKeptLists({ clock, newId, ...options }) };
}

const listOf = (count: number) => ({
  slots: Uint32Array.from({ length: count }, (_, index) => index),
  idOf: (slot: number) => deviceId(`d-${slot}`),
});

test('a list is kept for a time after its last use, and then forgotten', async () => {
  const { clock, lists } = keptLists({ keptMs: 1_000 });
  const list = listOf(2);
  const id = lists.keep(list);
  await clock.advance(900);
  expect(lists.find(id)).toBe(list);
  await clock.advance(900);
  expect(lists.find(id)).toBe(list);
  await clock.advance(1_001);
  expect(lists.find(id)).toBeUndefined();
});

test('lists that nobody went on with make room first, then those used the longest ago', () => {
  const { lists } = keptLists({ placesMax: 6 });
  const [first, second, third] = [lists.keep(listOf(2)), lists.keep(listOf(2)), lists.keep(listOf(2))];
  lists.find(first);
  lists.find(third);
  const fourth = lists.keep(listOf(4));
  expect([first, second, third, fourth].map((id) => lists.find(id)?.slots.length)).toEqual([
    undefined,
    undefined,
    2,
    4,
  ]);
});

test('a list larger than the bound is kept alone', () => {
  const { lists } = keptLists({ placesMax: 3 });
  const small = lists.keep(listOf(1));
  const large = lists.keep(listOf(9));
  expect([lists.find(small), lists.find(large)?.slots.length]).toEqual([undefined, 9]);
});
