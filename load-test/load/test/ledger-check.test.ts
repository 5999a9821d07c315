import { type DeviceId, deviceId, type EventPage } from '@twinstream/device-model';
import { expect, test } from 'vitest';
import { orderChecked } from '../src/ledger-check.ts';

const DEVICE = deviceId('a');

async function disorderOf(...pages: readonly (readonly (readonly [number, number])[])[]): Promise<string[]> {
  const told: string[] = [];
  const store = {
    async *auditPages(_: DeviceId) {
      for (const [index, events] of pages.entries()) {
        const page = {
          page: index + 1,
          events: events.map(([session, counter]) => ({ event: { identity: { session, counter } } })),
        } as unknown as EventPage;
        yield { kind: 'page' as const, page, faults: [] };
      }
    },
  };
  const checked = orderChecked(store, (_, what) => told.push(what));
  await Array.fromAsync(checked.auditPages(DEVICE));
  return told;
}

test('a chain in which sessions and counters rise, with gaps, is in order', async () => {
  expect(
    await disorderOf(
      [
        [1, 1],
        [1, 2],
      ],
      [[1, 5]],
      [[2, 1]],
    ),
  ).toEqual([]);
});

test('an event after a newer one, in its page or in one before, is told', async () => {
  expect(
    await disorderOf([
      [1, 2],
      [1, 1],
    ]),
  ).toEqual(['page 1: session 1, counter 1 after session 1, counter 2']);
  expect(await disorderOf([[2, 1]], [[1, 9]])).toHaveLength(1);
  expect(await disorderOf([[1, 1]], [[1, 1]])).toHaveLength(1);
});
