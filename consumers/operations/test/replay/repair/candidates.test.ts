import { type EventPage, newDevice, planPage } from '@twinstream/device-model';
import type { ShardId } from '@twinstream/stream-model';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS, testSequenceNumber } from '@twinstream/test-kit';
import { identityOf } from '@twinstream/verification';
import { describe, expect, test } from 'vitest';
import { candidatesOf, type SourceEvent } from '../../../src/replay/repair/candidates.ts';
import type { MissingRun } from '../../../src/replay/repair/missing-run.ts';

const [PARENT, CHILD, OTHER_CHILD] = SHARDS;

interface Fields {
  readonly counter?: number;
  readonly arrivalTime?: number;
  readonly isRedriven?: boolean;
}

/** An event that arrived as many milliseconds after the test's time as its place says, unless something else is said. */
function event(
  shardId: ShardId,
  at: number,
  { counter = at, arrivalTime = TEST_TIME_MS + at, isRedriven = false }: Fields = {},
): SourceEvent {
  return { shardId, arrived: arrivedEvent({ at, arrivalTime, session: 1, counter }), isRedriven };
}

const positionAt = (at: number) => event(PARENT, at).arrived.place;
/** What a test calls a place, by its sequence number. */
const AT = new Map(Array.from({ length: 40 }, (_, at) => [testSequenceNumber(at), at]));

/** A page of events at these places, or an empty one that has covered its shard up to `through`. */
function page(shardId: ShardId, ats: readonly number[], fields: Partial<EventPage> = {}): EventPage {
  const plan = planPage(
    newDevice(DEVICE),
    shardId,
    ats.map((at) => event(shardId, at).arrived),
  );
  if (plan.kind !== 'page') throw new Error(plan.kind);
  return { ...plan.page, ...fields };
}

interface RunFields {
  readonly above?: readonly (readonly [ShardId, number])[];
  readonly below?: readonly EventPage[];
  readonly arrivalMaxAfter?: number;
}

function run({ above = [], below = [], arrivalMaxAfter }: RunFields): MissingRun {
  return {
    firstPage: 2,
    lastPage: 3,
    above: new Map(above.map(([shardId, at]) => [shardId, positionAt(at)])),
    below: new Map(below.map((one) => [one.shardId, one])),
    ...(arrivalMaxAfter === undefined ? {} : { arrivalMaxAfter: TEST_TIME_MS + arrivalMaxAfter }),
  };
}

interface EvidenceFields {
  readonly owed?: readonly ShardId[];
  readonly stored?: readonly SourceEvent[];
}

/** Every candidate as text: its events, and how they are laid out where that is not in the order of shards and unmarked. */
function candidates(
  of: RunFields,
  free: readonly SourceEvent[],
  { owed = [], stored = [] }: EvidenceFields = {},
) {
  const evidence = {
    owed: new Set(owed),
    stored: new Set(stored.map(({ shardId, arrived }) => identityOf(shardId, arrived))),
  };
  const nameOf = ({ shardId, arrived }: SourceEvent) =>
    `${'PCO'[SHARDS.indexOf(shardId)]}${AT.get(arrived.place.sequenceNumber)}`;
  return candidatesOf(run(of), free, evidence).map(({ events, isRepaired, isByArrival }) =>
    [...events.map(nameOf), isRepaired ? 'repaired' : '', isByArrival ? 'by arrival' : '']
      .filter((text) => text !== '')
      .join(' '),
  );
}

describe('candidates of a run', () => {
  test('lie above the pages before it and below the page after it', () => {
    const free = [5, 10, 12, 15, 20, 25].map((at) => event(PARENT, at));
    expect(candidates({ above: [[PARENT, 10]], below: [page(PARENT, [20])] }, free)).toEqual([
      'P12 P15',
      '',
      // The last choice: the page after it may have been carried over, and then bounds nothing.
      'P12 P15 P20 P25',
    ]);
  });

  test('had arrived when the page after it was laid out', () => {
    const free = [
      event(PARENT, 12),
      event(PARENT, 13),
      event(PARENT, 14, { arrivalTime: TEST_TIME_MS + 50 }),
    ];
    expect(candidates({ above: [[PARENT, 10]], arrivalMaxAfter: 13 }, free)).toEqual(['P12 P13', '']);
    expect(candidates({ above: [[PARENT, 10]] }, free)).toEqual(['P12 P13 P14', '']);
  });

  test('lie below an empty page only up to where that has covered its shard', () => {
    const empty = page(PARENT, [20], { events: [] });
    const free = [event(PARENT, 20), event(PARENT, 21)];
    expect(candidates({ below: [empty] }, free)).toEqual(['P20', '', 'P20 P21']);
  });

  test('are in the order of shards, from which those differ that are owed', () => {
    const free = [event(PARENT, 7), event(CHILD, 12)];
    const above = [
      [PARENT, 3],
      [CHILD, 10],
    ] as const;
    expect(candidates({ above }, free)).toEqual(['C12', 'P7 C12', '']);
    expect(candidates({ above }, free, { owed: [PARENT] })).toEqual(['P7 C12', 'C12', 'P7']);
  });

  test('are in the order of shards that come after the run, too', () => {
    const free = [event(PARENT, 7), event(CHILD, 12), event(OTHER_CHILD, 13)];
    const below = [page(CHILD, [20]), page(OTHER_CHILD, [20])];
    expect(candidates({ below }, free)).toEqual(['P7 C12', 'P7 C12 O13', '']);
  });

  test('are not owed by a shard that has a page after the run', () => {
    const free = [event(PARENT, 7), event(CHILD, 12)];
    const of = { above: [[CHILD, 10] as const], below: [page(PARENT, [20])] };
    expect(candidates(of, free, { owed: [PARENT] })).toEqual(['', 'P7 C12']);
  });

  test('may be none of the copies of what is stored, or the first or last of several copies', () => {
    const first = event(PARENT, 12, { counter: 1 });
    const again = event(PARENT, 13, { counter: 1 });
    const other = event(PARENT, 14, { counter: 2 });
    expect(candidates({ above: [[PARENT, 10]] }, [first, again, other])).toEqual([
      'P12 P13 P14',
      'P12 P14',
      'P13 P14',
      '',
    ]);
    expect(candidates({ above: [[PARENT, 10]] }, [first, again, other], { stored: [first] })).toEqual([
      'P12 P13 P14',
      'P14',
      'P13 P14',
      '',
    ]);
  });

  test('that differ in one event or one more event are told apart', () => {
    const free = [event(PARENT, 12), event(CHILD, 12, { counter: 1 }), event(CHILD, 13, { counter: 1 })];
    expect(candidates({}, free, { stored: [event(CHILD, 1, { counter: 1 })], owed: [CHILD] })).toEqual([
      'P12 C12 C13',
      'P12',
      'P12 C13',
      'C12 C13',
    ]);
  });

  test('may have been appended marked repaired where nothing lies within the run', () => {
    const free = [event(PARENT, 4), event(PARENT, 5), event(PARENT, 6, { arrivalTime: TEST_TIME_MS + 90 })];
    const of = { above: [[PARENT, 10] as const], arrivalMaxAfter: 40 };
    expect(candidates(of, free)).toEqual(['', 'P4 P5 repaired']);
    expect(candidates(of, free, { stored: [event(PARENT, 1, { counter: 5 })] })).toEqual([
      '',
      'P4 repaired',
      'P4 P5 repaired',
    ]);
    expect(candidates(of, [...free, event(PARENT, 12)])).toEqual(['P12', '']);
  });

  test('that were redriven are within no run, unless a replay wrote the chain whole', () => {
    const free = [event(PARENT, 12, { isRedriven: true })];
    expect(candidates({ above: [[PARENT, 10]] }, free)).toEqual(['', 'P12 repaired', 'P12']);
  });

  test('are without the duplicates that the page after the run has dropped', () => {
    const free = [12, 13, 14].map((at) => event(PARENT, at));
    const below = [page(PARENT, [20, 24], { duplicates: 2 })];
    expect(candidates({ below }, free)).toEqual(['P12', '', 'P12 P13 P14']);
    // One of them lies inside the page.
    expect(candidates({ below }, [...free, event(PARENT, 22)])).toEqual(['P12 P13', '', 'P12 P13 P14 P22']);
    // What lies behind the page is none, and neither is what it holds.
    expect(candidates({ below }, [...free, event(PARENT, 24), event(PARENT, 25)])).toEqual([
      'P12',
      '',
      'P12 P13 P14 P24 P25',
    ]);
  });

  test('are without a dropped duplicate that was redriven only in a chain that a replay wrote whole', () => {
    const free = [event(PARENT, 12), event(PARENT, 14, { isRedriven: true })];
    const below = [page(PARENT, [20], { duplicates: 1 })];
    expect(candidates({ below }, free)).toEqual(['', 'P12 P14 repaired', 'P14', 'P12', 'P12 P14']);
  });

  test('are not bounded by a page that came late', () => {
    const whole = page(PARENT, [20, 21]);
    const events = whole.events.map((one, index) => (index === 1 ? { ...one, late: { gapChange: 0 } } : one));
    const late = { ...whole, events };
    const free = [5, 12, 30].map((at) => event(PARENT, at));
    expect(candidates({ above: [[PARENT, 10]], below: [late] }, free)).toEqual(['P12', '', 'P12 P30']);
  });
});

describe('candidates of several shards', () => {
  const arrivals = (ofChild: number, ofOther: number) => [
    event(CHILD, 20, { arrivalTime: TEST_TIME_MS + ofChild }),
    event(CHILD, 21, { arrivalTime: TEST_TIME_MS + 60 }),
    event(OTHER_CHILD, 30, { arrivalTime: TEST_TIME_MS + ofOther }),
    event(OTHER_CHILD, 31, { arrivalTime: TEST_TIME_MS + 60 }),
  ];

  test('are also tried by arrival where the shard of the higher id had the first', () => {
    expect(candidates({}, arrivals(40, 30))).toEqual(['C20 C21 O30 O31', '', 'C20 C21 O30 O31 by arrival']);
  });

  test.each([
    [30, 40],
    [30, 30],
  ])('are tried by their ids alone where the first came at %i and %i ms', (ofChild, ofOther) => {
    expect(candidates({}, arrivals(ofChild, ofOther))).toEqual(['C20 C21 O30 O31', '']);
  });

  test('are judged by their ids, in whatever order the source has their shards', () => {
    const [a, b, c, d] = arrivals(30, 40) as [SourceEvent, SourceEvent, SourceEvent, SourceEvent];
    expect(candidates({}, [c, d, a, b])).toEqual(['O30 O31 C20 C21', '']);
  });
});
