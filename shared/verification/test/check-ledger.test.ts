import type { EventPage } from '@twinstream/device-model';
import { newDevice } from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import { memoryLatestStateTable } from '@twinstream/latest-state';
import { memoryQuarantine, type QuarantineStore } from '@twinstream/quarantine';
import { type Position, sequenceNumber } from '@twinstream/stream-model';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { expect, test } from 'vitest';
import { checkLedger, type SentEvent } from '../src/check-ledger.ts';
import { quarantinedPositions } from '../src/quarantined-positions.ts';

const [SHARD] = SHARDS;
const EVENTS = 6;
const RECORDS = 40;

const acknowledged = (position: Position): SentEvent => ({
  deviceId: DEVICE,
  fate: 'acknowledged',
  position,
});
const malformedAt = (number: number): Position => ({
  shardId: SHARD,
  sequenceNumber: sequenceNumber(String(1_000 + number)),
  subSequenceNumber: 0,
});

/** The events of one device as they are stored, and the ledger that says so. */
async function written() {
  const eventStore = memoryEventStore();
  const latestState = memoryLatestStateTable();
  let state = newDevice(DEVICE);
  const pages: EventPage[] = [];
  for (let at = 1; at <= EVENTS; at += 1) {
    const arrived = [arrivedEvent({ at, session: 1, counter: at, data: { speed: at } })];
    const batch = await writeBatch(eventStore, state, SHARD, arrived);
    state = batch.state;
    pages.push(...batch.pages);
  }
  await latestState.write(state);
  const sent = pages.flatMap(({ events }) =>
    events.map(({ event, place }): SentEvent => ({ ...acknowledged({ shardId: SHARD, ...place }), event })),
  );
  return { stores: { eventStore, latestState, isComplete: true }, sent };
}

async function* all<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

async function quarantineOf(numbers: readonly number[]): Promise<QuarantineStore> {
  const quarantine = memoryQuarantine();
  for (const number of numbers) {
    const { sequenceNumber } = malformedAt(number);
    const content = { partitionKey: 'a', data: new Uint8Array([number]) };
    const entry = { ...content, reason: 'not-json' as const, detail: 'It is no JSON.' };
    const entries = [0, 3].map((subSequenceNumber) => ({ ...entry, subSequenceNumber }));
    await quarantine.put({ shardId: SHARD, sequenceNumber, arrivalTime: number, ...content, entries });
  }
  return quarantine;
}

const kindsOf = async (sent: readonly SentEvent[], quarantined: readonly Position[]) => {
  const { stores } = await written();
  const report = await checkLedger({ ...stores, sent: all(sent), quarantinedPositions: all(quarantined) });
  return report.violations.map(({ kind }) => kind);
};

test('a ledger whose events are all where they should be has no violation', async () => {
  const { sent } = await written();
  expect(await kindsOf([...sent, acknowledged(malformedAt(1))], [malformedAt(1)])).toEqual([]);
});

test('what is not where it should be is named: lost, never sent, other content, not in quarantine', async () => {
  const { sent } = await written();
  const [first, second, ...others] = sent as [SentEvent, SentEvent, ...SentEvent[]];
  const { event } = first;
  if (event?.identity === undefined) throw new TypeError('an uncounted event');
  const never = { ...first, event: { ...event, identity: { ...event.identity, counter: 99 } } };
  const other = { ...second, event: { ...event, identity: second.event?.identity ?? event.identity } };
  expect(await kindsOf([never, ...sent], [])).toEqual(['lost']);
  expect(await kindsOf(others, [])).toEqual(['never-sent', 'never-sent']);
  expect(await kindsOf([first, other, ...others], [])).toEqual(['content-differs']);
  expect(await kindsOf([...sent, acknowledged(malformedAt(1))], [malformedAt(2)])).toEqual([
    'not-quarantined',
  ]);
});

test('every entry in quarantine is found, but for what is taken out meanwhile, by a bounded number of concurrent reads', async () => {
  const quarantine = await quarantineOf(Array.from({ length: RECORDS }, (_, index) => index));
  const [gone] = await Array.fromAsync(quarantine.list());
  const keys: string[] = [];
  let [reading, readingMax] = [0, 0];
  const watched: Pick<QuarantineStore, 'list' | 'read'> = {
    list: (query) => quarantine.list(query),
    read: async (key) => {
      keys.push(key);
      reading += 1;
      readingMax = Math.max(readingMax, reading);
      const record = await quarantine.read(key);
      reading -= 1;
      return key === gone?.key ? undefined : record;
    },
  };
  const positions = await Array.fromAsync(quarantinedPositions(watched));
  expect(positions).toHaveLength(2 * (RECORDS - 1));
  expect(new Set(positions.map(({ subSequenceNumber }) => subSequenceNumber))).toEqual(new Set([0, 3]));
  expect(readingMax).toBe(16);
  expect(keys).toEqual((await Array.fromAsync(quarantine.list())).map(({ key }) => key));
});
