import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createWriteAheadFile, readWriteAheadFile } from '../../src/firehose/write-ahead-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'write-ahead-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const records = ['one', '', 'three'.repeat(1_000)].map((text, index) => ({
  arrivalMs: 1_700_000_000_000.5 + index,
  data: Buffer.from(text),
}));

it('gives back what was appended, in order, with its arrival', async () => {
  const path = join(folder, 'a');
  const file = await createWriteAheadFile(path);
  await Promise.all(records.map((record) => file.append([record])));
  await file.close();
  expect(await readWriteAheadFile(path)).toEqual(records);
});

it('gives back every whole record, wherever the last write was torn', async () => {
  const path = join(folder, 'a');
  const file = await createWriteAheadFile(path);
  await file.append(records);
  await file.close();
  const whole = readFileSync(path);
  const boundaries = [19, 35];
  for (let length = 0; length < 60; length += 1) {
    writeFileSync(path, whole.subarray(0, length));
    const expected = boundaries.filter((boundary) => boundary <= length).length;
    expect(await readWriteAheadFile(path)).toEqual(records.slice(0, expected));
  }
});

it('stops at a record whose bytes have changed', async () => {
  const path = join(folder, 'a');
  const file = await createWriteAheadFile(path);
  await file.append(records);
  await file.close();
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(18) ^ 1, 18);
  writeFileSync(path, bytes);
  expect(await readWriteAheadFile(path)).toEqual([]);
});

it('is not confused by bytes of another kind at its end', async () => {
  const path = join(folder, 'a');
  const file = await createWriteAheadFile(path);
  await file.append(records);
  await file.close();
  appendFileSync(path, Buffer.alloc(100, 0xff));
  expect(await readWriteAheadFile(path)).toEqual(records);
});

it('is gone once removed', async () => {
  const path = join(folder, 'a');
  const file = await createWriteAheadFile(path);
  await file.append(records);
  await file.remove();
  await expect(readWriteAheadFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
});
