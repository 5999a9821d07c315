import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RecordingSettings, readRecording } from '../../src/recording/open-recording.ts';
import { type Pace, recordingSource } from '../../src/recording/recording-source.ts';
import type { BadRow } from '../../src/recording/row.ts';
import { readInTimeOrder } from '../../src/recording/time-order.ts';
import type { PlannedEvent } from '../../src/sending/planned-event.ts';
import { all, textOf } from '../sending/listed-source.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-recording-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function settingsOf(content: string | Uint8Array, more: Partial<RecordingSettings> = {}): RecordingSettings {
  files += 1;
  const path = join(folder, `file-${files}`);
  writeFileSync(path, content);
  return { path, columns: { id: 'id', time: 'at' }, offset: undefined, ...more };
}

interface Read {
  readonly events: readonly PlannedEvent[];
  readonly bad: readonly BadRow[];
}

async function read(
  recording: RecordingSettings,
  order: 'time' | 'file' = 'file',
  pace: Pace = { kind: 'max' },
): Promise<Read> {
  const bad: BadRow[] = [];
  const onBadRow = (row: BadRow) => void bad.push(row);
  const source = recordingSource(readRecording(recording), { order, pace, session: 50, onBadRow });
  return { events: await all(source), bad };
}

const T = (seconds: number): string => new Date(Date.UTC(2017, 2, 21, 0, 0, seconds)).toISOString();
const CSV = `id,at,x\nb,${T(30)},1\na,${T(10)},2\na,${T(30)},3\nb,${T(10)},4\nb,${T(20)},5\n`;
const placesOf = (events: readonly PlannedEvent[]) =>
  events.map((event) => [event.deviceId, event.counter, JSON.parse(textOf(event)).data.x]);

describe('a recording', () => {
  test('of foreign lines is sent as it is, by the key that each line has', async () => {
    const content = '{"id":"a","n":1.0}\n\n[1]\n{"id":7,"at":"x"}\n';
    const { events, bad } = await read(settingsOf(content, { columns: undefined, rawKey: 'id' }));
    expect(events.map((event) => [event.deviceId, textOf(event)])).toEqual([
      ['a', '{"id":"a","n":1.0}'],
      ['7', '{"id":7,"at":"x"}'],
    ]);
    expect(events.every(({ session, counter }) => session === undefined && counter === undefined)).toBe(true);
    expect(bad.map(({ line }) => line)).toEqual([3]);
  });

  test('is sent in the order of the file, counted per device', async () => {
    const { events, bad } = await read(settingsOf(CSV));
    expect(placesOf(events)).toEqual([
      ['b', 1, 1],
      ['a', 1, 2],
      ['a', 2, 3],
      ['b', 2, 4],
      ['b', 3, 5],
    ]);
    expect(events.every(({ session, dueMs }) => session === 50 && dueMs === undefined)).toBe(true);
    expect(bad).toEqual([]);
  });

  test('is sent in order of time when asked, equal times in the order of the file', async () => {
    const { events } = await read(settingsOf(CSV), 'time');
    expect(placesOf(events)).toEqual([
      ['a', 1, 2],
      ['b', 1, 4],
      ['b', 2, 5],
      ['b', 3, 1],
      ['a', 2, 3],
    ]);
  });

  test('in gzip is known by its content, in several members too, whatever its name is', async () => {
    const plain = await read(settingsOf(CSV));
    expect(await read(settingsOf(gzipSync(CSV)))).toEqual(plain);
    const members = Buffer.concat([gzipSync(CSV.slice(0, 20)), gzipSync(CSV.slice(20))]);
    expect(await read(settingsOf(members))).toEqual(plain);
  });

  test('of NDJSON is known by its first line', async () => {
    const lines = [
      { id: 'a', at: T(1), x: 1 },
      { id: 'a', at: T(2), x: 2 },
    ].map((row) => JSON.stringify(row));
    const { events } = await read(settingsOf(`\n\n${lines.join('\n')}`));
    expect(placesOf(events)).toEqual([
      ['a', 1, 1],
      ['a', 2, 2],
    ]);
  });

  test('of device events needs no columns, and mixes counted and uncounted ones', async () => {
    const event = (counter?: number) =>
      JSON.stringify({
        v: 1,
        deviceId: 'a',
        type: 'reported',
        time: T(1),
        ...(counter === undefined ? {} : { session: 3, counter }),
        data: {},
      });
    const { events } = await read(
      settingsOf([event(7), event(), event()].join('\n'), { columns: undefined }),
    );
    expect(events.map(({ session, counter }) => [session, counter])).toEqual([
      [3, 7],
      [50, 1],
      [50, 2],
    ]);
    expect(events.map(textOf)[0]).toBe(event(7));
  });

  test('goes on behind rows that can be no events, and names their lines', async () => {
    const { events, bad } = await read(
      settingsOf(
        `id,at,x\na,${T(1)},1\na,never,2\n"a,${T(3)},3\n,${T(4)},4\nb\tb,${T(5)},5\na,${T(6)}\na,${T(7)},7\n`,
      ),
    );
    expect(placesOf(events)).toEqual([
      ['a', 1, 1],
      ['a', 2, 7],
    ]);
    expect(bad.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7]);
  });

  test('names bad rows in order of time, too', async () => {
    const { bad } = await read(settingsOf(`id,at,x\na,never,2\n`), 'time');
    expect(bad.map(({ line }) => line)).toEqual([2]);
  });

  test('is paced as it was recorded, so many times as fast', async () => {
    const { events } = await read(settingsOf(CSV), 'time', { kind: 'speed', factor: 4 });
    expect(events.map(({ dueMs }) => dueMs)).toEqual([0, 0, 2_500, 5_000, 5_000]);
  });

  test('whose times go back is never due earlier than before', async () => {
    const { events } = await read(settingsOf(CSV), 'file', { kind: 'speed', factor: 1 });
    expect(events.map(({ dueMs }) => dueMs)).toEqual([0, 0, 0, 0, 0]);
  });

  test('can be paced by a rate', async () => {
    const { events } = await read(settingsOf(CSV), 'file', {
      kind: 'profile',
      profile: { ratePerSecond: 10 },
    });
    expect(events.map(({ dueMs }) => dueMs)).toEqual([0, 100, 200, 300, 400]);
  });

  test('keeps CRLF and LF inside of a quoted cell as they were written', async () => {
    const { events } = await read(
      settingsOf(`id,at,x\r\na,${T(1)},"one\r\ntwo\nthree\r\n"\r\na,${T(2)},4\r\n`),
    );
    expect(placesOf(events)).toEqual([
      ['a', 1, 'one\r\ntwo\nthree\r\n'],
      ['a', 2, 4],
    ]);
  });

  test('may be left before its end', async () => {
    const rows = Array.from({ length: 50_000 }, (_, index) => `a,${T(1)},${index}`).join('\n');
    const recording = settingsOf(`id,at,x\n${rows}`);
    const onBadRow = () => undefined;
    const source = recordingSource(readRecording(recording), {
      order: 'file',
      pace: { kind: 'max' },
      session: 1,
      onBadRow,
    });
    await source.next();
    await source.close();
  });
});

describe('an input that is not a recording', () => {
  const codeOf = (recording: RecordingSettings, order: 'time' | 'file' = 'file') =>
    expect(read(recording, order)).rejects;

  test('is not there', async () => {
    await codeOf({ ...settingsOf(''), path: join(folder, 'nowhere.csv') }).toMatchObject({
      code: 'INPUT_NOT_FOUND',
    });
  });

  test('is a folder', async () => {
    await codeOf({ ...settingsOf(''), path: folder }).toMatchObject({ code: 'INPUT_UNREADABLE' });
  });

  test('is empty', async () => {
    await codeOf(settingsOf('\n\n')).toMatchObject({ code: 'INPUT_EMPTY' });
    await codeOf(settingsOf(gzipSync(''))).toMatchObject({ code: 'INPUT_EMPTY' });
  });

  test('is a CSV header without a row', async () => {
    await codeOf(settingsOf('id,at\n')).toMatchObject({
      code: 'INPUT_EMPTY',
      message: expect.stringContaining('a header and no rows'),
    });
  });

  test('is CSV whose lines end with CR', async () => {
    for (const text of ['id,at,x\ra,2017-03-21T00:00:00Z,1\r', `id,at,x\ra,${'9'.repeat(1_100_000)},1\r`]) {
      await codeOf(settingsOf(text)).toMatchObject({
        code: 'INPUT_NOT_ROWS',
        message: expect.stringContaining('LF or CRLF'),
      });
    }
  });

  test('is a JSON array', async () => {
    await codeOf(settingsOf('[{"id":1}]')).toMatchObject({ code: 'INPUT_NOT_ROWS' });
  });

  test('is CSV without columns named for it', async () => {
    await codeOf(settingsOf(CSV, { columns: undefined })).toMatchObject({
      code: 'COLUMNS_NEEDED',
      message: expect.stringContaining('id, at, x'),
    });
  });

  test('lacks a column', async () => {
    await codeOf(settingsOf('a,b\n1,2\n')).toMatchObject({ code: 'UNKNOWN_COLUMN' });
  });

  test('is gzip that was cut off: what came before is given first', async () => {
    const rows = Array.from({ length: 60_000 }, (_, index) => `a${index},${T(1)},${index}`).join('\n');
    const whole = gzipSync(`id,at,x\n${rows}`);
    const recording = settingsOf(whole.subarray(0, whole.length - 1_000));
    const source = recordingSource(readRecording(recording), {
      order: 'file',
      pace: { kind: 'max' },
      session: 1,
      onBadRow: () => undefined,
    });
    let count = 0;
    const reading = (async () => {
      while ((await source.next()) !== undefined) count += 1;
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'INPUT_UNREADABLE',
      message: expect.stringContaining('after line'),
    });
    expect(count).toBeGreaterThan(10_000);
  });

  test('is too large to be sorted in memory', async () => {
    const sorting = readInTimeOrder(readRecording(settingsOf(CSV)), () => undefined, 100);
    await expect(sorting).rejects.toMatchObject({ code: 'INPUT_TOO_LARGE_TO_SORT' });
  });
});
