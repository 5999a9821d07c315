import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Entry, readProgress } from '../src/progress.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mutation-progress-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const progressOf = (...entries: readonly Entry[]) => {
  const file = join(folder, 'progress.ndjson');
  writeFileSync(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  return readProgress(file);
};
const place = { test: 'a test', mutant: '7' };

describe('the progress of a worker', () => {
  test('names the mutant that was being tried when the worker hung or died', () => {
    expect(progressOf({ kind: 'trying', ...place }).trying).toMatchObject(place);
    expect(progressOf({ kind: 'trying', ...place }, { kind: 'survived', ...place }).trying).toBeUndefined();
  });

  test('goes on after a mutant that has stalled, and after tests that are done', () => {
    const progress = progressOf({ kind: 'stalled', ...place }, { kind: 'done', test: 'a test' });
    expect([...progress.stalled]).toEqual(['7']);
    expect([...progress.done]).toEqual(['a test']);
    expect(progress.tried.get('a test')).toEqual(new Set(['7']));
  });

  test('keeps a doubtful kill to be tried first in a new process, and no kill of it', () => {
    const progress = progressOf({ kind: 'trying', ...place }, { kind: 'doubtful', ...place });
    expect(progress.doubtful).toMatchObject(place);
    expect(progress.killed.size).toBe(0);
    expect(progress.trying).toBeUndefined();
  });

  test('knows the slow tests, which are not done before they were asked', () => {
    const progress = progressOf({ kind: 'slow', test: 'a test' }, { kind: 'done', test: 'another' });
    expect([...progress.slow.difference(progress.done)]).toEqual(['a test']);
    const later = progressOf({ kind: 'slow', test: 'a test' }, { kind: 'done', test: 'a test' });
    expect([...later.slow.difference(later.done)]).toEqual([]);
  });

  test('is empty before the first line', () => {
    expect(readProgress(join(folder, 'none')).tried.size).toBe(0);
  });
});
