import { type DeviceEvent, newDevice } from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import { memoryLatestStateTable } from '@twinstream/latest-state';
import { type Position, positionKey } from '@twinstream/stream-model';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { expect, test } from 'vitest';
import { checkLedger, type LedgerSources, type SentEvent } from '../src/check-ledger.ts';

const [SHARD] = SHARDS;

async function* all<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

/** Counters 1, 3, 2 (late), a duplicate of 3 and an uncounted event, as they are stored. */
async function written() {
  const eventStore = memoryEventStore();
  const latestState = memoryLatestStateTable();
  const [first, third, second] = [1, 3, 2].map((counter, at) =>
    arrivedEvent({ at: at + 1, session: 1, counter }),
  );
  if (first === undefined || second === undefined || third === undefined) throw new Error('three events');
  const uncounted = arrivedEvent({ at: 5 });
  const again = {
    ...third,
    place: { ...third.place, subSequenceNumber: 1 },
    arrivalTime: second.arrivalTime,
  };
  const arrived = [first, third, again, second, uncounted];
  const { state, pages } = await writeBatch(eventStore, newDevice(DEVICE), SHARD, arrived);
  await latestState.write(state);
  const sent = arrived.map(
    ({ event, place }): SentEvent => ({
      deviceId: DEVICE,
      fate: 'acknowledged',
      event,
      position: { shardId: SHARD, ...place },
    }),
  );
  expect(pages).not.toEqual([]);
  return { stores: { eventStore, latestState, isComplete: true }, sent };
}

async function reportOf(
  change: (sent: readonly SentEvent[]) => readonly SentEvent[],
  more: Partial<LedgerSources> = {},
) {
  const { stores, sent } = await written();
  return await checkLedger({ ...stores, sent: all(change(sent)), ...more });
}

test('a ledger counts each identity once, what was stored, late and duplicate', async () => {
  expect(await reportOf((sent) => sent)).toStrictEqual({
    devices: 1,
    sent: 4,
    stored: 4,
    duplicates: 1,
    late: 1,
    malformed: 0,
    violations: [],
  });
});

test('an event whose outcome is unknown may be stored, and is not counted as sent', async () => {
  const uncertain = (sent: readonly SentEvent[]) =>
    sent.map((entry) => ({ ...entry, fate: 'uncertain' as const }));
  expect(await reportOf(uncertain)).toMatchObject({ sent: 0, stored: 4, violations: [] });
});

test('an uncounted event without a position is expected nowhere, and a counted one is by its identity', async () => {
  const unplaced = (sent: readonly SentEvent[]) => sent.map(({ position: _, ...entry }) => entry);
  expect(await reportOf(unplaced)).toMatchObject({
    sent: 3,
    violations: [{ kind: 'never-sent' }],
  });
});

test('a correction without a position is expected by its id', async () => {
  const correction = { correctionId: 'c', reason: 'r', actor: 'a' };
  const lost = (sent: readonly SentEvent[]): readonly SentEvent[] => {
    const [first] = sent;
    if (first?.event === undefined) throw new TypeError('no event');
    const { identity: _, ...rest } = first.event;
    const event: DeviceEvent = { ...rest, type: 'corrected', correction };
    return [...sent, { deviceId: DEVICE, fate: 'acknowledged', event }];
  };
  expect((await reportOf(lost)).violations).toEqual([{ kind: 'lost', subject: `${DEVICE} correction c` }]);
});

test('a device of the stores that the ledger does not name is looked at where the ledger is complete alone', async () => {
  expect(await reportOf(() => [])).toMatchObject({ devices: 1, sent: 0 });
  expect((await reportOf(() => [])).violations.map(({ kind }) => kind)).toEqual(
    Array.from({ length: 4 }, () => 'never-sent'),
  );
  expect(await reportOf(() => [], { isComplete: false })).toMatchObject({
    devices: 0,
    stored: 0,
    violations: [],
  });
  expect(await reportOf((sent) => sent.slice(0, 1), { isComplete: false })).toMatchObject({
    devices: 1,
    violations: [],
  });
});

test('the archive has each position that was acknowledged, counted once, and what it lacks is named', async () => {
  const { sent } = await written();
  const positions = sent.flatMap(({ position }) => (position === undefined ? [] : [position]));
  const [first, ...others] = positions as [Position, ...Position[]];
  const archived = (kept: readonly Position[]) => reportOf((all) => all, { archivedPositions: all(kept) });
  expect(await archived([...positions, first])).toMatchObject({ archived: positions.length, violations: [] });
  expect(await archived(others)).toMatchObject({
    archived: others.length,
    violations: [{ kind: 'not-archived', subject: positionKey(first) }],
  });
});

test('an invalid record without a position is neither counted nor looked for', async () => {
  const invalid: SentEvent = { deviceId: DEVICE, fate: 'uncertain' };
  expect(await reportOf((sent) => [...sent, invalid])).toMatchObject({ malformed: 0, violations: [] });
});

test('what verification finds of a device of the ledger is a violation, with what was expected and found', async () => {
  const { stores, sent } = await written();
  const pages = await Array.fromAsync(stores.eventStore.pages(DEVICE));
  const eventStore = memoryEventStore();
  const [first] = pages;
  if (first === undefined) throw new TypeError('no page');
  await eventStore.appendPage({ ...first, arrivalMaxBefore: 5 });
  const { violations } = await checkLedger({ ...stores, eventStore, sent: all(sent) });
  expect(violations).toContainEqual({
    kind: 'page-key-differs',
    subject: `${DEVICE} page 1: expected 0, found 5`,
  });
});

test('quarantine is looked at where it is there and something invalid was sent, and not otherwise', async () => {
  const quarantinedPositions = {
    [Symbol.asyncIterator]: () => {
      throw new Error('quarantine was asked');
    },
  };
  expect((await reportOf((sent) => sent, { quarantinedPositions })).violations).toEqual([]);
  const invalid = (sent: readonly SentEvent[]) => {
    const position = { ...sent[0]?.position, subSequenceNumber: 9 } as Position;
    return [...sent, { deviceId: DEVICE, fate: 'acknowledged', position } as const];
  };
  await expect(reportOf(invalid, { quarantinedPositions })).rejects.toThrow('quarantine was asked');
  expect(await reportOf(invalid)).toMatchObject({ malformed: 1, violations: [] });
});
