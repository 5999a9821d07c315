import { expect, test } from 'vitest';
import { noCounts, type ReplayJob } from '../../src/replay/replay-job.ts';
import { exactly } from '../../src/replay/replay-plan.ts';
import { progressLine, progressText } from '../../src/replay/show-progress.ts';
import { jobOf } from './memory-replay.ts';

const SINCE = { readBefore: 0, elapsedMs: 10_000 };

function shown(job: Partial<ReplayJob>, read: number, expected = exactly(40_000), waitsFor?: string) {
  const ledger = { 'shardId-000000000000': { ...noCounts(), read } };
  const running = { ...jobOf({ target: 'repair' }), pass: 'apply' as const, ledger, ...job };
  const line = progressLine(running, { expected, waitsFor: () => waitsFor }, SINCE);
  return { line, text: progressText(line) };
}

test('has a bar and a time that is left where all events were counted', () => {
  const { line, text } = shown({}, 10_000);
  expect(line).toMatchObject({ eventsPerSecond: 1_000, remainingMs: 30_000, waitsFor: null });
  expect(text).toBe('apply [######..................] 10,000 of 40,000 events, 1,000/s, about 30.0 s left');
});

test('never says that nothing is left while the job goes on', () => {
  const { line, text } = shown({}, 41_000);
  expect(line.remainingMs).toBeNull();
  expect(text).not.toContain('left');
});

test('shows no bar and no end of what was not counted', () => {
  const { line, text } = shown({}, 3_000, { min: 2_030, max: 61_000 });
  expect(line.remainingMs).toBeNull();
  expect(text).toBe('apply: 3,000 events of 2,030 to 61,000, 300/s');
});

test('says what it waits for', () => {
  const { line, text } = shown({ pass: 'restore' }, 0, exactly(1), '60.0 s, the timeout of the function');
  expect(line.waitsFor).toBe('60.0 s, the timeout of the function');
  expect(text).toBe('restore: waits for 60.0 s, the timeout of the function');
});

test('says what a pass does that counts no events', () => {
  expect(shown({ pass: 'survey' }, 0).text).toBe(
    'survey: looks for missing pages and gathers their events from the source',
  );
});
