import type {
  QuarantinedRecord,
  QuarantineListing,
  QuarantineQuery,
  QuarantineStore,
  ResolvableQuarantine,
} from '@twinstream/quarantine';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** An empty quarantine, and how to release it. */
export interface OpenQuarantine {
  readonly store: ResolvableQuarantine;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;
const FIVE_OCLOCK = Date.parse('2026-11-23T05:00:00.000Z');

function plainRecord(changes: Partial<QuarantinedRecord> = {}): QuarantinedRecord {
  const data = changes.data ?? Buffer.from([0x00, 0xff, 0xf3, 0x0a, 0x22]);
  const partitionKey = changes.partitionKey ?? 'bus-2619';
  return {
    shardId: shardId('shardId-000000000001'),
    sequenceNumber: sequenceNumber('49590338271490256608559692538361571095921575989136588898'),
    arrivalTime: FIVE_OCLOCK + 1_234,
    partitionKey,
    data,
    entries: [
      { reason: 'invalid-utf8', detail: 'the bytes are not UTF-8', subSequenceNumber: 0, partitionKey, data },
    ],
    ...changes,
  };
}

const aggregatedRecord: QuarantinedRecord = plainRecord({
  partitionKey: 'lane-3',
  data: Buffer.from('whole aggregate'),
  entries: [
    {
      reason: 'not-json',
      detail: 'the text is not JSON',
      subSequenceNumber: 1,
      partitionKey: 'bus-1',
      data: Buffer.from('{'),
      rejectedPlaces: [10_001_003, 10_001_007],
    },
    {
      reason: 'empty',
      detail: 'the record has no bytes',
      subSequenceNumber: 4,
      partitionKey: 'büs "2"\n',
      data: Buffer.alloc(0),
    },
  ],
});

async function listed(store: QuarantineStore, query?: QuarantineQuery): Promise<QuarantineListing[]> {
  return await Array.fromAsync(store.list(query));
}

/** Bytes compare as bytes, whether a Buffer or a Uint8Array holds them. */
function comparable(record: QuarantinedRecord | undefined): unknown {
  if (record === undefined) return undefined;
  return {
    ...record,
    data: Buffer.from(record.data),
    entries: record.entries.map((entry) => ({ ...entry, data: Buffer.from(entry.data) })),
  };
}

async function readOnly(store: QuarantineStore): Promise<QuarantinedRecord | undefined> {
  const [first, ...others] = await listed(store);
  expect(others).toEqual([]);
  return await store.read(first?.key ?? '');
}

/** What every quarantine must do. */
export function describeQuarantine(name: string, open: () => Promise<OpenQuarantine>): void {
  describe(`quarantine: ${name}`, () => {
    let opened: OpenQuarantine;
    let store: ResolvableQuarantine;
    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(async () => {
      await opened.close();
    });

    test('an empty quarantine lists nothing', async () => {
      expect(await listed(store)).toEqual([]);
    });

    test('a record that is resolved leaves quarantine and is kept with its resolution', async () => {
      await store.put(plainRecord());
      await store.put(aggregatedRecord);
      const [first, second] = await listed(store);
      const resolution = {
        outcome: 'redriven' as const,
        time: '2026-11-23T09:00:00.000Z',
        reason: 'an old "encoder"\n',
        actor: 'ann',
        events: [{ subSequenceNumber: 1, text: '{"v":1}' }],
      };
      expect(await store.resolve(second?.key ?? '', resolution)).toBe(true);
      expect(await store.resolve(second?.key ?? '', resolution)).toBe(false);
      expect(await listed(store)).toEqual([first]);
      expect(await store.read(second?.key ?? '')).toBeUndefined();
      const resolved = await Array.fromAsync(store.resolved());
      const { shardId: shard, sequenceNumber: number } = second ?? {};
      expect(resolved).toEqual([{ shardId: shard, sequenceNumber: number, resolution }]);
    });

    test('all of its contents are read, what was taken out of it with its resolution', async () => {
      await store.put(plainRecord());
      await store.put(aggregatedRecord);
      const [first, second] = await listed(store);
      const resolution = {
        outcome: 'discarded' as const,
        time: '2026-11-23T09:00:00.000Z',
        reason: 'noise',
        actor: 'ann',
        events: [],
      };
      await store.resolve(second?.key ?? '', resolution);
      const contents = await Array.fromAsync(store.contents());
      expect(
        contents.map((letter) =>
          'record' in letter ? { ...letter, record: comparable(letter.record) } : letter,
        ),
      ).toEqual([
        { key: first?.key, record: comparable(plainRecord()) },
        {
          key: `quarantine-resolved/${second?.key.slice('quarantine/'.length)}`,
          record: comparable(aggregatedRecord),
          resolution,
        },
      ]);
    });

    test('a plain record is read as it was put', async () => {
      await store.put(plainRecord());
      expect(comparable(await readOnly(store))).toEqual(comparable(plainRecord()));
    });

    test('of an aggregated record the invalid entries and the whole record are read as they were put', async () => {
      await store.put(aggregatedRecord);
      expect(comparable(await readOnly(store))).toEqual(comparable(aggregatedRecord));
    });

    test('a record of a mebibyte and a record without bytes are kept whole', async () => {
      const large = Buffer.alloc(1024 * 1024, 0xfe);
      const records = [
        plainRecord({ data: large }),
        plainRecord({ data: Buffer.alloc(0), sequenceNumber: sequenceNumber('7') }),
      ];
      for (const record of records) {
        await store.put(record);
        const key = (await listed(store)).find((each) => each.sequenceNumber === record.sequenceNumber)?.key;
        expect(comparable(await store.read(key ?? ''))).toEqual(comparable(record));
      }
    });

    test('the same record put again changes nothing', async () => {
      await store.put(aggregatedRecord);
      const before = await listed(store);
      await store.put(aggregatedRecord);
      expect(await listed(store)).toEqual(before);
    });

    test('a listing says where the record came from, its hour of arrival and how many events are invalid', async () => {
      await store.put(aggregatedRecord);
      expect(await listed(store)).toEqual([
        {
          key: `quarantine/year=2026/month=11/day=23/hour=05/shardId-000000000001-${aggregatedRecord.sequenceNumber}-2.ndjson`,
          shardId: 'shardId-000000000001',
          sequenceNumber: aggregatedRecord.sequenceNumber,
          arrivalHour: FIVE_OCLOCK,
          entryCount: 2,
          sizeBytes: expect.any(Number),
        },
      ]);
      expect((await listed(store))[0]?.sizeBytes).toBeGreaterThan(300);
    });

    test('equal sequence numbers of two shards are two records', async () => {
      await store.put(plainRecord());
      await store.put(plainRecord({ shardId: shardId('shardId-000000000002') }));
      expect((await listed(store)).map((listing) => listing.shardId)).toEqual([
        'shardId-000000000001',
        'shardId-000000000002',
      ]);
    });

    test('records are listed by hour of arrival, whatever their sequence numbers and the order of putting', async () => {
      const hours = [25, 0, 3, 1];
      for (const [index, hour] of hours.entries()) {
        await store.put(
          plainRecord({
            arrivalTime: FIVE_OCLOCK + hour * HOUR_MS,
            sequenceNumber: sequenceNumber(`${9 - index}`),
          }),
        );
      }
      expect((await listed(store)).map(({ arrivalHour }) => (arrivalHour - FIVE_OCLOCK) / HOUR_MS)).toEqual([
        0, 1, 3, 25,
      ]);
    });

    test('a query takes the hours that its range meets', async () => {
      for (let hour = 0; hour < 5; hour += 1) {
        await store.put(plainRecord({ arrivalTime: FIVE_OCLOCK + hour * HOUR_MS + 1_000 }));
      }
      const hoursFor = async (query: QuarantineQuery) =>
        (await listed(store, query)).map(({ arrivalHour }) => (arrivalHour - FIVE_OCLOCK) / HOUR_MS);
      const at = (hours: number) => FIVE_OCLOCK + hours * HOUR_MS;
      expect(await hoursFor({ from: at(2.5) })).toEqual([2, 3, 4]);
      expect(await hoursFor({ to: at(2.5) })).toEqual([0, 1, 2]);
      expect(await hoursFor({ to: at(2) })).toEqual([0, 1]);
      expect(await hoursFor({ from: at(1), to: at(2) })).toEqual([1]);
      expect(await hoursFor({ from: at(9) })).toEqual([]);
    });

    test('a listing goes on after any of its records', async () => {
      for (const [hour, shard] of [
        [0, '2'],
        [0, '1'],
        [3, '1'],
      ] as const) {
        await store.put(
          plainRecord({ arrivalTime: FIVE_OCLOCK + hour * HOUR_MS, shardId: shardId(`shardId-${shard}`) }),
        );
      }
      const all = (await listed(store)).map(({ key }) => key);
      for (const [index, after] of all.entries()) {
        expect((await listed(store, { after })).map(({ key }) => key)).toEqual(all.slice(index + 1));
      }
      const from = FIVE_OCLOCK + 2 * HOUR_MS;
      expect((await listed(store, { after: all[0] ?? '', from })).map(({ key }) => key)).toEqual(
        all.slice(2),
      );
    });

    test('an unknown key reads as nothing', async () => {
      expect(
        await store.read('quarantine/year=2026/month=11/day=23/hour=05/shardId-1-2-1.ndjson'),
      ).toBeUndefined();
    });

    test('a record without an invalid entry is refused', async () => {
      await expect(store.put(plainRecord({ entries: [] }))).rejects.toThrow(RangeError);
      expect(await listed(store)).toEqual([]);
    });

    test('an aborted signal stores nothing and rejects with its reason', async () => {
      const reason = new Error('out of time');
      const signal = AbortSignal.abort(reason);
      await expect(store.put(plainRecord(), signal)).rejects.toBe(reason);
      await expect(store.read('quarantine/x', signal)).rejects.toBe(reason);
      expect(await listed(store)).toEqual([]);
    });
  });
}
