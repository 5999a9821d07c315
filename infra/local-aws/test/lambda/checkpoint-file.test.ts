import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openCheckpointFile } from '../../src/lambda/checkpoint-file.ts';

let folder = '';
let path = '';
const errors: unknown[] = [];
const open = () => openCheckpointFile(path, (error) => errors.push(error));
const shard = shardId('shardId-000000000000');
const other = shardId('shardId-000000000001');
const at = (number: string) => ({ kind: 'at', sequenceNumber: sequenceNumber(number) }) as const;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoints-'));
  path = join(folder, 'checkpoints.json');
  errors.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('gives back what was saved last, after a flush', async () => {
  const file = await open();
  for (let number = 1; number <= 500; number += 1) file.save(shard, at(String(number)));
  file.save(other, { kind: 'finished' });
  await file.flush();
  const again = await open();
  expect(again.read(shard)).toEqual(at('500'));
  expect(again.read(other)).toEqual({ kind: 'finished' });
  expect([...again.shardIds()].sort()).toEqual([shard, other]);
  expect(readdirSync(folder)).toEqual(['checkpoints.json']);
});

it('forgets what it is told to forget', async () => {
  const file = await open();
  file.save(shard, at('1'));
  file.forget(shard);
  await file.flush();
  expect((await open()).shardIds()).toEqual([]);
});

it('is there without a flush too, soon after', async () => {
  const file = await open();
  file.save(shard, at('7'));
  await expect.poll(async () => (await open()).read(shard), { timeout: 5_000 }).toEqual(at('7'));
});

it('begins empty where there is no file, and whole where a kill left half of the next one', async () => {
  expect((await open()).shardIds()).toEqual([]);
  const file = await open();
  file.save(shard, at('1'));
  await file.flush();
  writeFileSync(`${path}.next`, '{"version":1,"sha');
  expect((await open()).read(shard)).toEqual(at('1'));
});

it.each([
  '',
  '{',
  '{"version":2,"shards":{}}',
  '{"version":1,"shards":{"s":{"kind":"at","sequenceNumber":"x"}}}',
])('refuses a file that holds %j', async (text) => {
  writeFileSync(path, text);
  await expect(open()).rejects.toMatchObject({ code: 'CHECKPOINTS_UNREADABLE' });
});

it('tells of a write that failed, and writes with the next change', async () => {
  const file = await open();
  rmSync(folder, { recursive: true, force: true });
  file.save(shard, at('1'));
  await expect(file.flush()).rejects.toMatchObject({ code: 'ENOENT' });
  expect(errors).toHaveLength(1);
});
