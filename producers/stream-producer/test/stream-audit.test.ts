import { encodeAggregate, HASH_KEY_MAX, type Shard, shardId } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import {
  auditAcknowledgements,
  auditStream,
  CLEAN,
  eventsIn,
  eventText,
  eventTextOf,
  type StreamContent,
} from '../src/testing/stream-audit.ts';

const shard = (name: string, parents: readonly string[] = [], start = 0n, end = HASH_KEY_MAX): Shard => {
  const [parent, adjacent] = parents.map(shardId);
  return {
    shardId: shardId(name),
    hashKeyRange: { start, end },
    isOpen: true,
    ...(parent && { parentShardId: parent }),
    ...(adjacent && { adjacentParentShardId: adjacent }),
  };
};
/** `old` was split into `left` and `right`, and these were merged into `new`; `other` has nothing to do with them. */
const SHARDS = [
  shard('old'),
  shard('left', ['old']),
  shard('right', ['old']),
  shard('new', ['left', 'right']),
  shard('other'),
];

type Stored = readonly [shard: string, text: string, outerKey?: string];

/** Plain records of these events; of an outer key, an aggregate with the event of the device. */
function stream(stored: readonly Stored[], shards = SHARDS): StreamContent {
  const records = stored.map(([name, text, outerKey], index) => {
    const partitionKey = text.split('#')[0] ?? '';
    const data = Buffer.from(text);
    return {
      shardId: shardId(name),
      sequenceNumber: String(index + 1),
      partitionKey: outerKey ?? partitionKey,
      data: outerKey === undefined ? data : encodeAggregate([{ partitionKey, data }]),
    };
  });
  return { shards, records };
}
const audit = (stored: readonly Stored[], counts: Readonly<Record<string, number>>) =>
  auditStream(stream(stored), new Map(Object.entries(counts)));

test('the name of an event ends at the first blank of its data', () => {
  expect(eventTextOf(Buffer.from('a#7 more data'))).toBe('a#7');
  expect(eventTextOf(Buffer.from(' a#7'))).toBe('');
  expect(eventTextOf(Buffer.from(`xx${eventText('a', 7)}`).subarray(2))).toBe('a#7');
});

describe('an audit of a stream', () => {
  test('finds nothing wrong where each event follows the one that was put before it', () => {
    const stored: Stored[] = [
      ['old', 'a#0'],
      ['old', 'b#0'],
      ['old', 'a#1'],
      ['old', 'a#0'],
    ];
    expect(audit(stored, { a: 2, b: 1 })).toEqual({ ...CLEAN, copyCount: 4, distinctCount: 3 });
  });

  test('tells the order of two events from its reverse', () => {
    const [first, second]: readonly Stored[] = [
      ['old', 'a#0'],
      ['old', 'a#1'],
    ];
    if (!first || !second) throw new Error('two events');
    expect(audit([first, second], { a: 2 })).toMatchObject(CLEAN);
    expect(audit([second, first], { a: 2 }).outOfOrder).toEqual(['a#1 in old comes before 0']);
  });

  test('names what is lost', () => {
    const stored: Stored[] = [
      ['old', 'a#0'],
      ['old', 'b#0'],
    ];
    expect(audit(stored, { a: 3, b: 1, c: 1 })).toMatchObject({
      lost: ['a#1', 'a#2', 'c#0'],
      outOfOrder: [],
      otherFaults: [],
    });
  });

  test('names each copy that comes before every copy of the event before it', () => {
    const stored: Stored[] = [
      ['old', 'a#1'],
      ['old', 'a#0'],
      ['old', 'a#1'],
      ['old', 'b#1'],
    ];
    expect(audit(stored, { a: 2, b: 2 })).toMatchObject({
      lost: ['b#0'],
      outOfOrder: ['a#1 in old comes before 0', 'b#1 in old comes before 0'],
    });
  });

  test.each([
    ['its parent', 'old', 'left', true],
    ['its second parent', 'right', 'new', true],
    ['a parent of its parent', 'old', 'new', true],
    ['its child', 'left', 'old', false],
    ['its sibling', 'left', 'right', false],
    ['another shard', 'other', 'new', false],
  ])('reads a shard after its parents: an event before it in %s', (_, first, second, isInOrder) => {
    const { outOfOrder } = audit(
      [
        [first, 'a#0'],
        [second, 'a#1'],
      ],
      { a: 2 },
    );
    expect(outOfOrder).toEqual(isInOrder ? [] : [`a#1 in ${second} comes before 0`]);
  });

  test('takes what comes later in a parent for earlier than all in its child', () => {
    expect(
      audit(
        [
          ['left', 'a#1'],
          ['old', 'a#0'],
        ],
        { a: 2 },
      ),
    ).toMatchObject(CLEAN);
  });

  test('names a device that travels under two outer keys in one shard, and none in two', () => {
    const stored: Stored[] = [
      ['old', 'a#0', 'lane-00'],
      ['left', 'a#1', 'lane-01'],
    ];
    expect(audit(stored, { a: 2 })).toMatchObject(CLEAN);
    expect(audit([...stored, ['left', 'a#2', 'lane-02']], { a: 3 }).otherFaults).toEqual([
      'left a travels under lane-01 and lane-02',
    ]);
  });

  test('names damaged records, and events under the key of another device', () => {
    const aggregate = encodeAggregate([{ partitionKey: 'b', data: Buffer.from('a#0') }]);
    const place = { shardId: shardId('old'), partitionKey: 'lane-00' };
    const records = [
      { ...place, sequenceNumber: '1', data: aggregate },
      { ...place, sequenceNumber: '2', data: aggregate.subarray(0, -1) },
    ];
    const { otherFaults } = auditStream({ shards: SHARDS, records }, new Map());
    expect(otherFaults.slice(0, 2)).toEqual(['a#0 under b', '2 is damaged']);
  });

  test('tells which events there are', () => {
    const { records } = stream([
      ['old', 'a#0', 'lane-00'],
      ['left', 'b#0'],
      ['left', 'b#0'],
    ]);
    expect([...eventsIn(records)]).toEqual(['a#0', 'b#0']);
  });
});

describe('an audit of acknowledgements', () => {
  const aggregate = encodeAggregate(
    ['a#0', 'b#0'].map((text) => ({ partitionKey: text[0] ?? '', data: Buffer.from(text) })),
  );
  const place = { sequenceNumber: '7', partitionKey: 'lane-00', data: aggregate };
  const content: StreamContent = {
    shards: [...SHARDS, shard('empty', [], 0n, 0n)],
    records: ['old', 'empty'].map((name) => ({ ...place, shardId: shardId(name) })),
  };
  const acknowledged = (text: string, name: string, sequenceNumber: string, subSequenceNumber: number) => ({
    record: { partitionKey: text[0] ?? '', data: Buffer.from(text) },
    position: { shardId: shardId(name), sequenceNumber, subSequenceNumber } as never,
  });

  test.each([
    ['what is there', 'b#0', 'old', '7', 1, []],
    ['another entry of the record', 'b#0', 'old', '7', 0, ['b#0 is not at its position']],
    ['an entry that is not there', 'b#0', 'old', '7', 2, ['b#0 is not at its position']],
    ['a record that is not there', 'b#0', 'old', '8', 1, ['b#0 is not at its position']],
    [
      'a shard that does not hold its hash key',
      'a#0',
      'empty',
      '7',
      0,
      ['a#0 is acknowledged in empty, where it does not belong'],
    ],
    [
      'a shard that is not there',
      'a#0',
      'none',
      '7',
      0,
      ['a#0 is not at its position', 'a#0 is acknowledged in none, where it does not belong'],
    ],
  ] as const)('judges %s', (_, text, name, number, sub, faults) => {
    expect(auditAcknowledgements(content, [acknowledged(text, name, number, sub)])).toEqual(faults);
  });

  test('names two events at one position', () => {
    const twice = [acknowledged('a#0', 'old', '7', 0), acknowledged('a#0', 'old', '7', 0)];
    expect(auditAcknowledgements(content, twice)).toEqual(['two events at old:7:0']);
  });
});
