import { deviceId } from '@twinstream/device-model';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type ArchivedPipeline,
  archivedPipeline,
  givenUpText,
  SHARDS,
  type VerificationChanges,
  verified,
} from './archived-pipeline.ts';

let whole: ArchivedPipeline;

beforeAll(async () => {
  whole = await archivedPipeline();
});

/** The pipeline with other lines in its archive. */
function withLines(
  pipeline: ArchivedPipeline,
  change: (line: string, index: number, key: string) => readonly string[],
): ArchivedPipeline {
  const archive = new Map(
    [...pipeline.archive].map(([key, lines]) => [key, lines.flatMap((line, at) => change(line, at, key))]),
  );
  return { ...pipeline, archive };
}

const without = <Key, Value>(map: ReadonlyMap<Key, Value>, key: Key) =>
  new Map([...map].filter(([each]) => each !== key));

const lineWith = (text: string) => (line: string) => line.includes(text);
const isOfBus1Counter1 = lineWith(
  '"deviceId":"bus-1","type":"reported","time":"2026-11-23T08:00:00.000Z","data":{"speed":4},"session":1,"counter":1',
);
const isInvalid = lineWith('"base64":"eyJ2Ijox');
const isPlain = (pipeline: ArchivedPipeline, text: string) =>
  pipeline.letters.find(
    (letter) => 'record' in letter && Buffer.from(letter.record.data).toString() === text,
  );

/** A damage, and the differences that name it and nothing else. */
interface ArchiveDamage {
  readonly name: string;
  readonly apply: (pipeline: ArchivedPipeline) => ArchivedPipeline;
  readonly expected: readonly string[];
}

const FIRST = 10_000_000;
const at = (place: number, sub = 0, shard: (typeof SHARDS)[number] = SHARDS[0]) =>
  `${shard}:${FIRST + place}:${sub}`;
const GIVEN_UP = [
  `device-missing bus-lost the device`,
  `not-quarantined bus-lost ${at(22, 0, SHARDS[1])}`,
  `not-stored bus-1 ${at(20, 0, SHARDS[1])}`,
];

const DAMAGES: readonly ArchiveDamage[] = [
  ...['bus-0', 'bus-1', 'bus-2', 'bus-3'].map((id) => ({
    name: `the device ${id}, deleted whole`,
    apply: (pipeline: ArchivedPipeline) => ({
      ...pipeline,
      pages: without(pipeline.pages, deviceId(id)),
      states: without(pipeline.states, deviceId(id)),
    }),
    expected: [`device-missing ${id} the device`],
  })),
  {
    name: 'a last page and a state, deleted',
    apply: (pipeline) => {
      const id = deviceId('bus-3');
      const pages = new Map(pipeline.pages).set(
        deviceId('bus-2'),
        (pipeline.pages.get(deviceId('bus-2')) ?? []).slice(0, -1),
      );
      return { ...pipeline, pages, states: without(without(pipeline.states, deviceId('bus-2')), id) };
    },
    expected: [
      `not-stored bus-2 ${at(19, 0, SHARDS[1])}`,
      'state-missing bus-2 state',
      'state-missing bus-3 state',
    ],
  },
  {
    name: 'the page of a redriven event, missing',
    apply: (pipeline) => {
      const id = deviceId('bus-1');
      return {
        ...pipeline,
        pages: new Map(pipeline.pages).set(id, (pipeline.pages.get(id) ?? []).slice(0, -1)),
      };
    },
    expected: [`not-stored bus-1 ${at(11)}`, 'page-missing bus-1 page 2'],
  },
  {
    name: 'a line, missing',
    apply: (pipeline) => withLines(pipeline, (line) => (isOfBus1Counter1(line) ? [] : [line])),
    expected: [`not-archived bus-1 ${at(5)}`],
  },
  {
    name: 'the line of a dead letter, missing',
    apply: (pipeline) =>
      withLines(pipeline, (line) => (isInvalid(line) && line.includes('"bus-1"') ? [] : [line])),
    expected: [`not-archived bus-1 ${at(9)}`],
  },
  {
    name: 'the line of a redriven event, missing',
    apply: (pipeline) => withLines(pipeline, (line) => (line.includes('"10000011"') ? [] : [line])),
    expected: [`not-archived bus-1 ${at(11)}`],
  },
  {
    name: 'an altered event in a line',
    apply: (pipeline) =>
      withLines(pipeline, (line) => [isOfBus1Counter1(line) ? line.replace('"speed":4', '"speed":5') : line]),
    expected: [`archive-differs bus-1 ${at(5)}`],
  },
  {
    name: 'an altered copy of a line',
    apply: (pipeline) =>
      withLines(pipeline, (line) =>
        isOfBus1Counter1(line) ? [line, line.replace('"speed":4', '"speed":5')] : [line],
      ),
    expected: [`archive-differs bus-1 ${at(5)}`],
  },
  {
    name: 'an altered position in a line',
    apply: (pipeline) =>
      withLines(pipeline, (line) => [
        isOfBus1Counter1(line) ? line.replace('"10000005"', '"10000004"') : line,
      ]),
    expected: [`not-archived bus-1 ${at(5)}`],
  },
  {
    name: 'another device in a line',
    apply: (pipeline) =>
      withLines(pipeline, (line) => [
        isOfBus1Counter1(line) ? line.replace('"deviceId":"bus-1"', '"deviceId":"bus-9"') : line,
      ]),
    expected: ['device-missing bus-9 the device', `not-archived bus-1 ${at(5)}`],
  },
  {
    name: 'a line that is cut',
    apply: (pipeline) => withLines(pipeline, (line) => [isOfBus1Counter1(line) ? line.slice(0, -4) : line]),
    expected: ['line-foreign  archive/0.gz line 5', `not-archived bus-1 ${at(5)}`],
  },
  {
    name: 'a line of somebody else',
    apply: (pipeline) =>
      withLines(pipeline, (line, index) => (index === 0 ? ['{"hello":"there"}', line] : [line])),
    expected: ['line-foreign  archive/0.gz line 1', 'line-foreign  archive/1.gz line 1'],
  },
  {
    name: 'an object of somebody else',
    apply: (pipeline) => ({ ...pipeline, foreignObjects: ['archive/notes.txt'] }),
    expected: ['object-foreign  archive/notes.txt'],
  },
  {
    name: 'altered bytes of an invalid entry in a line',
    apply: (pipeline) =>
      withLines(pipeline, (line) => [
        line.includes('"base64":"eyJ2Ijox"') ? line.replace('eyJ2Ijox', 'eyJ2Ijoy') : line,
      ]),
    expected: [
      `quarantine-differs bus-1 quarantine/year=2026/month=11/day=23/hour=08/${SHARDS[0]}-${FIRST + 9}-1.ndjson`,
    ],
  },
  ...(['{"v":1', '[]'] as const).map((text, index) => ({
    name: `a dead letter, missing (${index === 0 ? 'in quarantine' : 'discarded'})`,
    apply: (pipeline: ArchivedPipeline) => ({
      ...pipeline,
      letters: pipeline.letters.filter((letter) => letter !== isPlain(pipeline, text)),
    }),
    expected: [`not-quarantined bus-1 ${at(index === 0 ? 9 : 12)}`],
  })),
  {
    name: 'the dead letter of a redriven event, missing',
    apply: (pipeline) => ({
      ...pipeline,
      letters: pipeline.letters.filter(
        (letter) => !('resolution' in letter) || letter.resolution?.outcome !== 'redriven',
      ),
    }),
    expected: [`not-quarantined bus-1 ${at(11)}`],
  },
  {
    name: 'altered bytes of a dead letter',
    apply: (pipeline) => ({
      ...pipeline,
      letters: pipeline.letters.map((letter) => {
        if (letter !== isPlain(pipeline, '{"v":1') || !('record' in letter)) return letter;
        const entries = letter.record.entries.map((entry) => ({ ...entry, data: Buffer.from('{"v":2') }));
        return { ...letter, record: { ...letter.record, entries } };
      }),
    }),
    expected: [
      `quarantine-differs bus-1 quarantine/year=2026/month=11/day=23/hour=08/${SHARDS[0]}-${FIRST + 9}-1.ndjson`,
    ],
  },
  {
    name: 'a dead letter that cannot be read',
    apply: (pipeline) => ({
      ...pipeline,
      letters: pipeline.letters.map((letter) =>
        letter === isPlain(pipeline, '[]') ? { key: letter.key, fault: 'it has no line' } : letter,
      ),
    }),
    expected: [
      `not-quarantined bus-1 ${at(12)}`,
      `object-foreign  quarantine-resolved/year=2026/month=11/day=23/hour=08/${SHARDS[0]}-${FIRST + 12}-1.ndjson`,
    ],
  },
  {
    name: 'something else among the dead letters',
    apply: (pipeline) => ({
      ...pipeline,
      letters: [...pipeline.letters, { key: 'quarantine/x', fault: 'no line' }],
    }),
    expected: ['object-foreign  quarantine/x'],
  },
  {
    name: 'a given-up batch, missing',
    apply: (pipeline) => ({ ...pipeline, givenUp: [] }),
    expected: GIVEN_UP,
  },
  {
    name: 'a given-up batch that cannot be read',
    apply: (pipeline) => ({
      ...pipeline,
      givenUp: pipeline.givenUp.map(({ key, text }) => ({ key, text: text.slice(9) })),
    }),
    expected: [...GIVEN_UP, 'object-foreign  aws/lambda/projector/1'],
  },
  {
    name: 'a given-up batch that lacks a record',
    apply: (pipeline) => ({
      ...pipeline,
      givenUp: pipeline.givenUp.map(({ key, text }) => ({ key, text: text.replace('10000020', '10000099') })),
    }),
    expected: [`not-stored bus-1 ${at(20, 0, SHARDS[1])}`],
  },
  {
    name: 'a batch that another function gave up',
    apply: (pipeline) => ({
      ...pipeline,
      givenUp: pipeline.givenUp.map(({ key, text }) => ({
        key,
        text: text.replace('state-projector', 'event-archiver'),
      })),
    }),
    expected: GIVEN_UP,
  },
  {
    name: 'something else among the given-up batches',
    apply: (pipeline) => ({
      ...pipeline,
      givenUp: [
        ...pipeline.givenUp,
        ...['', '{}', '[1]', givenUpText('state-projector', SHARDS[0], [])].map((text, index) => ({
          key: `aws/lambda/${index}`,
          text,
        })),
      ],
    }),
    expected: [0, 1, 2, 3].map((index) => `object-foreign  aws/lambda/${index}`),
  },
];

const sumOf = ({ report }: Awaited<ReturnType<typeof verified>>) =>
  report.eventsFound +
  report.duplicates +
  report.notFinished +
  report.deadLetters +
  report.givenUp +
  report.missing;

describe('an undamaged pipeline', () => {
  test('has no difference: duplicates, dead letters, given-up batches and what is in flight are no losses', async () => {
    for (const runCharactersMax of [200, 1_000_000]) {
      const { differences, report } = await verified(whole, { runCharactersMax });
      expect(differences).toEqual([]);
      const { foreign, differences: _, archivedDevices: __, ...counts } = report;
      expect(foreign.count).toBe(0);
      expect(counts).toEqual({
        positions: 27,
        eventsFound: 15,
        eventsNotDue: 0,
        duplicates: 3,
        notFinished: 3,
        deadLetters: 3,
        givenUp: 3,
        missing: 0,
      });
    }
  });

  test('may have stored what is not due in the archive yet', async () => {
    const { differences, report } = await verified({ ...whole, archive: new Map() }, { dueBefore: 0 });
    expect(differences).toEqual([]);
    expect(report).toMatchObject({ eventsFound: 0, eventsNotDue: 15, positions: 0 });
  });

  test('need not have stored what was redriven after the verification had begun', async () => {
    const pages = without(whole.pages, deviceId('bus-1'));
    const changes: VerificationChanges = { startTime: 0 };
    const lost = await verified(
      { ...whole, pages, states: without(whole.states, deviceId('bus-1')) },
      changes,
    );
    expect(lost.differences).toEqual(['device-missing bus-1 the device']);
    expect(lost.report.missing).toBe(2);
  });
});

describe('a damaged pipeline', () => {
  test.each(DAMAGES)('shows $name, and nothing else', async ({ apply, expected }) => {
    const found = await verified(apply(whole));
    expect(found.differences).toEqual([...expected].sort());
  });

  test('is told of one device alone: what others lack, and the rest of the archive, is left out', async () => {
    const none = { ...whole, pages: new Map(), states: new Map() };
    const found = await verified(none, { devices: new Set(['bus-0', 'bus-typo']) });
    expect(found.differences).toEqual(['device-missing bus-0 the device']);
    expect(found.report).toMatchObject({ positions: 11, missing: 10, notFinished: 1 });
    expect([...found.report.archivedDevices]).toEqual(['bus-0']);
  });

  test('names at most a thousand positions of a device, and counts the rest', async () => {
    const [line = ''] = [...whole.archive.values()].flat();
    const lines = Array.from({ length: 1_005 }, (_, index) =>
      line.replace('"counter":1', `"counter":${10 + index}`).replace('"10000001"', `"${1_000_000 + index}"`),
    );
    const { differences, report } = await verified({
      ...whole,
      archive: new Map([...whole.archive, ['archive/2.gz', lines]]),
    });
    expect(differences).toHaveLength(1_001);
    expect(differences).toContain('not-stored bus-0 5 more positions');
    expect(report.missing).toBe(1_005);
  });

  test('is read past what is foreign, which is not a difference where it is to be skipped', async () => {
    const damaged = withLines({ ...whole, foreignObjects: ['archive/notes.txt'] }, (line, index) =>
      index === 0 ? ['hello', line] : [line],
    );
    const { differences, report } = await verified(damaged, { isForeignSkipped: true });
    expect(differences).toEqual([]);
    expect(report.foreign.named.map(({ object, line }) => [object, line])).toEqual([
      ['archive/0.gz', 1],
      ['archive/1.gz', 1],
      ['archive/notes.txt', undefined],
    ]);
    expect(sumOf({ differences, report })).toBe(report.positions);
  });
});
