import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEvent, newDevice } from '@twinstream/device-model';
import type { DeadLetter } from '@twinstream/quarantine';
import {
  ARCHIVE_LINE_BYTES_MAX,
  archiveLines,
  type Position,
  positionKey,
  sequenceNumber,
  shardId,
} from '@twinstream/stream-model';
import { DEVICE } from '@twinstream/test-kit';
import {
  type ArchiveComparisonOptions,
  archiveComparison,
  FOREIGN_NAMED_MAX,
  memoryArchiveObjects,
} from '@twinstream/verification';
import { describe, expect, test, vi } from 'vitest';

const SHARD = shardId('shardId-000000000000');
const DUE_BEFORE = 1_000_000;
const START = 2_000_000;

const eventText = (counter: number, speed = 1) =>
  `{"v":1,"deviceId":"${DEVICE}","type":"reported","time":"2026-11-23T08:00:00Z","data":{"speed":${speed}},"session":1,"counter":${counter}}`;
const positionAt = (n: number): Position => ({
  shardId: SHARD,
  sequenceNumber: sequenceNumber(String(n)),
  subSequenceNumber: 0,
});

function lineAt(n: number, text: string, lineBytesMax = ARCHIVE_LINE_BYTES_MAX): string {
  const record = {
    sequenceNumber: sequenceNumber(String(n)),
    partitionKey: DEVICE,
    arrivalTime: n,
    data: Buffer.from(text),
  };
  const [line] = archiveLines(SHARD, record, lineBytesMax);
  return Buffer.from(line?.binary ?? '', 'latin1')
    .toString()
    .trimEnd();
}

function storedAt(n: number, text: string, arrivalTime: number) {
  const decoded = decodeEvent(Buffer.from(text));
  if ('rejected' in decoded) throw new TypeError(decoded.detail);
  const { shardId: shard, ...place } = positionAt(n);
  const version = { session: 1, counter: 1, ordinal: 0, revision: 0 };
  return { shardId: shard, stored: { place, arrivalTime, version, ...decoded } };
}

/** An entry in the dead-letter store; redriven at a time, where one is given. */
function letterAt(
  n: number,
  arrivalTime: number,
  redriven?: { readonly text: string; readonly atMs: number },
  bytes = 'hello',
) {
  const data = Buffer.from(bytes);
  const content = { partitionKey: DEVICE, data, subSequenceNumber: 0 };
  const { subSequenceNumber: _, ...place } = positionAt(n);
  return {
    key: `letter ${n}`,
    record: {
      ...place,
      partitionKey: DEVICE,
      arrivalTime,
      data,
      entries: [{ ...content, reason: 'not-json', detail: 'x' }],
    },
    ...(redriven === undefined
      ? {}
      : {
          resolution: {
            time: new Date(redriven.atMs).toISOString(),
            events: [{ subSequenceNumber: 0, text: redriven.text }],
          },
        }),
  } as unknown as DeadLetter;
}

interface Compared {
  readonly lines?: readonly string[];
  readonly stored?: readonly ReturnType<typeof storedAt>[];
  readonly letters?: readonly DeadLetter[];
  readonly isThere?: {
    readonly pageCount?: number;
    readonly livePage?: number;
    readonly isDifferent?: boolean;
  };
  readonly options?: Partial<ArchiveComparisonOptions>;
}

async function compared({
  lines = [],
  stored = [],
  letters = [],
  isThere = { pageCount: 1 },
  options = {},
}: Compared) {
  const objects = memoryArchiveObjects();
  objects.put('archive/x.gz', lines);
  const comparison = await archiveComparison({
    objects,
    quarantine: {
      contents: async function* () {
        yield* letters;
      },
    },
    givenUp: { texts: async function* () {} },
    projectorFunction: 'projector',
    isFinished: () => true,
    dueBefore: DUE_BEFORE,
    startTime: START,
    signal: new AbortController().signal,
    ...options,
  });
  for (const event of stored) comparison.onEvent(DEVICE, event);
  const { pageCount = 0, livePage, isDifferent = false } = isThere;
  const difference = {
    deviceId: DEVICE,
    kind: 'state-missing',
    subject: 's',
    expected: 'e',
    found: 'f',
  } as const;
  comparison.onDevice(DEVICE, {
    ...{ pageCount, livePage, eventCount: 0, state: newDevice(DEVICE), isStateCompared: true },
    differences: isDifferent ? [difference] : [],
  });
  return await comparison.finish();
}

const said = async (asked: Compared) =>
  (await compared(asked)).differences.map(
    ({ kind, subject, expected, found }) => `${kind} | ${subject} | ${expected} | ${found}`,
  );
const [ONE] = [positionKey(positionAt(1))];

describe('a stored event that the archive lacks', () => {
  test('must be there when it arrived before the archive is due, and may be on its way from that time on', async () => {
    const at = (arrivalTime: number) => ({ stored: [storedAt(1, eventText(1), arrivalTime)] });
    expect(await said(at(DUE_BEFORE - 1))).toEqual([`not-archived | ${ONE} | a line | none`]);
    expect(await compared(at(DUE_BEFORE))).toMatchObject({
      differences: [],
      eventsNotDue: 1,
      eventsFound: 0,
    });
  });

  test('is found where the archive has its bytes as an invalid entry: a redrive has stored it meanwhile', async () => {
    const found = {
      lines: [lineAt(1, 'hello')],
      stored: [storedAt(1, eventText(1), 1)],
      letters: [letterAt(1, 1)],
    };
    expect(await compared(found)).toMatchObject({
      differences: [],
      eventsFound: 1,
      deadLetters: 1,
      positions: 1,
    });
  });
});

describe('an archived event', () => {
  test('that is stored with another text differs from it', async () => {
    const asked = { lines: [lineAt(1, eventText(1, 2))], stored: [storedAt(1, eventText(1), 1)] };
    expect(await said(asked)).toEqual([`archive-differs | ${ONE} | the stored event | another text`]);
  });

  test('that comes twice at one position counts once, another text of it is a difference', async () => {
    const lines = [lineAt(1, eventText(1)), lineAt(1, eventText(1)), lineAt(1, eventText(1, 2))];
    const asked = { lines, stored: [storedAt(1, eventText(1), 1)] };
    expect(await compared(asked)).toMatchObject({ positions: 1, eventsFound: 1, duplicates: 0 });
    expect(await said(asked)).toEqual([`archive-differs | ${ONE} | the stored event | another text`]);
  });

  test('that comes twice from another position is one duplicate', async () => {
    const lines = [lineAt(1, eventText(1)), lineAt(2, eventText(1)), lineAt(2, eventText(1, 2))];
    const asked = { lines, stored: [storedAt(1, eventText(1), 1)] };
    expect(await compared(asked)).toMatchObject({ positions: 2, eventsFound: 1, duplicates: 1 });
  });

  test('past the checkpoint is not compared, once for each position', async () => {
    const lines = [lineAt(1, eventText(1)), lineAt(1, eventText(1, 2)), lineAt(2, eventText(2))];
    const options = { isFinished: () => false };
    expect(await compared({ lines, options })).toMatchObject({
      positions: 2,
      notFinished: 2,
      differences: [],
    });
  });

  test('is one of a lost device where nothing of the device is there: no page, no state item, no difference', async () => {
    const lines = [lineAt(1, eventText(1))];
    const kinds = async (isThere: NonNullable<Compared['isThere']>) =>
      (await compared({ lines, isThere })).differences.map(({ kind }) => kind);
    expect(await kinds({})).toEqual(['device-missing']);
    expect(await kinds({ pageCount: 1 })).toEqual(['not-stored']);
    expect(await kinds({ livePage: 3 })).toEqual(['not-stored']);
    expect(await kinds({ isDifferent: true })).toEqual(['not-stored']);
  });

  test('is one of a lost device where another device before it is there', async () => {
    const lost = eventText(1).replace(DEVICE, 'zzz');
    const { differences } = await compared({ lines: [lineAt(1, lost)], isThere: { pageCount: 1 } });
    expect(differences).toMatchObject([{ kind: 'device-missing', deviceId: 'zzz' }]);
    const both = {
      lines: [lineAt(1, eventText(1)), lineAt(2, lost)],
      stored: [storedAt(1, eventText(1), 1)],
    };
    expect(await compared(both)).toMatchObject({
      ...{ differences: [{ kind: 'device-missing', deviceId: 'zzz' }], eventsFound: 1, duplicates: 0 },
    });
  });

  test('is accounted for by a dead letter of its position', async () => {
    const lines = [lineAt(1, eventText(1))];
    expect(await compared({ lines, letters: [letterAt(1, 1)] })).toMatchObject({
      deadLetters: 1,
      missing: 0,
    });
  });
});

describe('a dead letter', () => {
  test('that the archive lacks must be there when it is due, and may be on its way from that time on', async () => {
    expect(await said({ letters: [letterAt(1, DUE_BEFORE - 1)] })).toEqual([
      `not-archived | ${ONE} | a line | none`,
    ]);
    expect(await said({ letters: [letterAt(1, DUE_BEFORE)] })).toEqual([]);
  });

  test('of a valid entry, which its device refused, is compared with the archived bytes of that entry', async () => {
    const lines = [lineAt(1, eventText(1))];
    const letter = (bytes: string) => ({ lines, letters: [letterAt(1, 1, undefined, bytes)] });
    expect(await compared(letter(eventText(1)))).toMatchObject({
      ...{ differences: [], positions: 1, deadLetters: 1, missing: 0, notFinished: 0 },
    });
    expect(await said(letter('hello'))).toEqual([
      'quarantine-differs | letter 1 | the archived bytes | others',
    ]);
  });

  test('that was redriven meanwhile need not be in the archive either', async () => {
    const redriven = { text: eventText(1), atMs: START };
    expect(await said({ letters: [letterAt(1, 1, redriven)] })).toEqual([]);
  });

  test('that was redriven, and is archived, is found whenever its event arrived', async () => {
    const letters = [letterAt(1, 1, { text: eventText(1), atMs: START - 1 })];
    const stored = [storedAt(1, eventText(1), DUE_BEFORE)];
    expect(await compared({ letters, stored, lines: [lineAt(1, 'hello')] })).toMatchObject({
      ...{ differences: [], eventsFound: 1, eventsNotDue: 0, deadLetters: 0, positions: 1 },
    });
  });

  test('whose redrive cannot be read is one that was not redriven', async () => {
    const letters = [letterAt(1, 1, { text: '{"v":1', atMs: START - 1 })];
    expect(await compared({ letters, lines: [lineAt(1, 'hello')] })).toMatchObject({
      ...{ differences: [], deadLetters: 1, missing: 0 },
    });
  });

  test('of an aggregated record stays one where another entry of the record was redriven', async () => {
    const [letter] = [letterAt(1, 1, { text: eventText(1), atMs: START - 1 })];
    if (letter === undefined || !('record' in letter)) throw new TypeError('no record');
    const [first] = letter.record.entries;
    if (first === undefined) throw new TypeError('no entry');
    const entries = [first, { ...first, subSequenceNumber: 1 }];
    const both = { ...letter, record: { ...letter.record, entries } } as DeadLetter;
    const second = lineAt(1, 'hello').replace('"subSequenceNumber":0', '"subSequenceNumber":1');
    const stored = [storedAt(1, eventText(1), 1)];
    const report = await compared({ letters: [both], stored, lines: [lineAt(1, 'hello'), second] });
    expect(report).toMatchObject({ differences: [], eventsFound: 1, deadLetters: 1, positions: 2 });
  });

  test('that lies there twice was redriven where one of the two was', async () => {
    const redriven = { text: eventText(1), atMs: START - 1 };
    const plain = { ...letterAt(1, 1), key: 'a' } as DeadLetter;
    const other = { ...letterAt(1, 1, redriven), key: 'b' } as DeadLetter;
    expect(await said({ letters: [plain, other], lines: [lineAt(1, 'hello')] })).toEqual([
      `not-stored | ${ONE} | event 1.1 | nothing stored`,
    ]);
  });

  test('with other bytes than the archive differs, whichever copy has them', async () => {
    const differs = [`quarantine-differs | letter 1 | the archived bytes | others`];
    expect(await said({ letters: [letterAt(1, 1)], lines: [lineAt(1, 'other')] })).toEqual(differs);
    expect(
      await said({ letters: [letterAt(1, 1)], lines: [lineAt(1, 'hello'), lineAt(1, 'other')] }),
    ).toEqual(differs);
    expect(await said({ letters: [letterAt(1, 1)], lines: [lineAt(1, 'hello')] })).toEqual([]);
  });

  test('that was redriven before the verification began must be stored, from that time on it need not', async () => {
    const letters = (atMs: number) => [letterAt(1, 1, { text: eventText(1), atMs })];
    const lines = [lineAt(1, 'hello')];
    expect(await said({ letters: letters(START - 1), lines })).toEqual([
      `not-stored | ${ONE} | event 1.1 | nothing stored`,
    ]);
    expect(await said({ letters: letters(START), lines })).toEqual([]);
    const stored = [storedAt(1, eventText(1), 1)];
    expect(await compared({ letters: letters(START - 1), lines, stored })).toMatchObject({
      differences: [],
      eventsFound: 1,
    });
  });

  test('that was redriven and that the archive lacks is a stored event that it lacks', async () => {
    const letters = [letterAt(1, 1, { text: eventText(1), atMs: START - 1 })];
    expect(await said({ letters })).toEqual([`not-stored | ${ONE} | event 1.1 | nothing stored`]);
    expect(await said({ letters, stored: [storedAt(1, eventText(1), 1)] })).toEqual([
      `not-archived | ${ONE} | a line | none`,
    ]);
  });
});

describe('an invalid entry of the archive', () => {
  test('that no dead letter has is not quarantined, and past the checkpoint not compared', async () => {
    const lines = [lineAt(1, 'hello')];
    expect(await said({ lines })).toEqual([`not-quarantined | ${ONE} | a dead letter | none`]);
    expect(await compared({ lines, options: { isFinished: () => false } })).toMatchObject({
      differences: [],
      notFinished: 1,
    });
  });

  test('that is too large for a line is compared by its digest', async () => {
    const [bytes, line] = ['x'.repeat(4_000), 3_000];
    const lines = [lineAt(1, bytes, line)];
    expect(lines[0]).not.toContain('xxxx');
    expect(await said({ lines })).toEqual([`not-quarantined | ${ONE} | a dead letter | none`]);
    expect(await said({ lines, letters: [letterAt(1, 1)] })).toEqual([
      'quarantine-differs | letter 1 | the archived bytes | others',
    ]);
    expect(await said({ lines, letters: [letterAt(1, 1, undefined, bytes)] })).toEqual([]);
  });

  test('of a device that was asked for is something that the archive has of it, of another it is not', async () => {
    const asked = async (id: string) => {
      const { archivedDevices } = await compared({
        lines: [lineAt(1, 'hello')],
        options: { devices: new Set([id]) },
      });
      return [...archivedDevices];
    };
    expect(await asked(DEVICE)).toEqual([DEVICE]);
    expect(await asked('another')).toEqual([]);
  });
});

describe('what is foreign in the archive', () => {
  test('is named up to a bound, and counted beyond it', async () => {
    const { differences, foreign } = await compared({
      lines: Array.from({ length: FOREIGN_NAMED_MAX + 3 }, () => 'hello'),
    });
    expect(foreign.count).toBe(FOREIGN_NAMED_MAX + 3);
    expect(differences).toHaveLength(FOREIGN_NAMED_MAX + 1);
    expect(differences[0]).toMatchObject({ kind: 'line-foreign', subject: 'archive/x.gz line 1' });
    expect(differences.at(-1)).toEqual({
      deviceId: '',
      kind: 'object-foreign',
      subject: '3 more objects and lines',
      expected: 'what this project writes',
      found: 'others',
    });
  });

  test('is all named at the bound', async () => {
    const lines = Array.from({ length: FOREIGN_NAMED_MAX }, () => 'hello');
    expect((await compared({ lines })).differences).toHaveLength(FOREIGN_NAMED_MAX);
  });
});

test('a comparison whose archive cannot be read fails as the reading did', async () => {
  const objects = memoryArchiveObjects();
  const failing = {
    ...objects,
    list: async function* () {
      yield* [];
      throw new Error('no access');
    },
  };
  await expect(compared({ options: { objects: failing } })).rejects.toThrow('no access');
});

test('a comparison sorts on disk within its bound, and leaves nothing there, however it ends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'comparison-'));
  vi.stubEnv('TMPDIR', folder);
  try {
    const lines = [lineAt(1, eventText(1)), lineAt(2, 'hello'), lineAt(3, eventText(3))];
    const options = { runCharactersMax: 100 };
    let seen = 0;
    const quarantine = {
      contents: async function* () {
        seen = readdirSync(folder).length;
        yield* [];
      },
    };
    await compared({ lines, options: { ...options, quarantine } });
    expect(seen).toBe(2);
    expect(readdirSync(folder)).toEqual([]);
    await compared({ lines, options: { quarantine } });
    expect(seen).toBe(0);

    const objects = memoryArchiveObjects();
    objects.put('archive/x.gz', lines);
    objects.putBytes('archive/y.gz', Buffer.from('no GZIP file'));
    const failing = {
      ...objects,
      read: (key: string) => {
        if (key.endsWith('y.gz')) throw new Error('no access');
        return objects.read(key);
      },
    };
    await expect(compared({ options: { ...options, objects: failing } })).rejects.toThrow('no access');
    expect(readdirSync(folder)).toEqual([]);
    const failingQuarantine = {
      contents: async function* () {
        yield* [];
        throw new Error('no dead letters');
      },
    };
    await expect(compared({ lines, options: { ...options, quarantine: failingQuarantine } })).rejects.toThrow(
      'no dead letters',
    );
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  }
});

test.each([
  ['the events', [lineAt(1, eventText(1))], [storedAt(1, eventText(1), 1)]],
  ['the records', [], [storedAt(1, eventText(1), 1)]],
])('a comparison ends while it walks %s when its signal is aborted', async (_, lines, stored) => {
  const stopping = new AbortController();
  const stop = async function* () {
    stopping.abort(new Error('stop'));
    yield* [];
  };
  const isOfRecords = lines.length === 0;
  const options = {
    signal: stopping.signal,
    ...(isOfRecords ? { givenUp: { texts: stop } } : { quarantine: { contents: stop } }),
  };
  await expect(compared({ lines, stored, options })).rejects.toThrow('stop');
});

test('a comparison ends when its signal is aborted', async () => {
  const stopping = new AbortController();
  const objects = memoryArchiveObjects();
  const lines = [lineAt(1, eventText(1))];
  objects.put('archive/x.gz', lines);
  const quarantine = {
    contents: async function* () {
      stopping.abort(new Error('stop'));
      yield* [];
    },
  };
  const options = { quarantine, signal: stopping.signal };
  await expect(compared({ lines, options })).rejects.toThrow('stop');
});
