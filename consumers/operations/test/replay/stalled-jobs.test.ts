import { hostname } from 'node:os';
import { JOB_SILENT_MS } from '@twinstream/pipeline-status';
import { systemClock } from '@twinstream/runtime';
import { describe, expect, test } from 'vitest';
import { type ReplayJob, shownStatus } from '../../src/replay/replay-job.ts';
import { runReplay } from '../../src/replay/run-replay.ts';
import { jobDocument, jobLine } from '../../src/replay/show-replay.ts';
import { jobOf, memoryReplay, recordedEntries } from './memory-replay.ts';

const NOW = Date.parse('2026-11-23T08:00:00Z');
const running = (changes: Partial<ReplayJob>): ReplayJob => ({
  ...jobOf({ target: 'repair' }),
  updatedTime: NOW - 1_000,
  runner: { token: 't', host: hostname(), pid: process.pid },
  ...changes,
});

describe('a job that is said to run', () => {
  test.each([
    ['running', {}],
    ['stalled', { updatedTime: NOW - JOB_SILENT_MS }],
    ['stalled', { runner: { token: 't', host: hostname(), pid: 2 ** 30 } }],
    ['running', { runner: { token: 't', host: 'elsewhere', pid: 1 } }],
    ['stalled', { runner: { token: 't', host: 'elsewhere', pid: 1 }, updatedTime: NOW - JOB_SILENT_MS }],
    ['stopped', { status: 'stopped' as const, updatedTime: 0 }],
    ['completed', { status: 'completed' as const, updatedTime: 0 }],
  ])('is %s in list and JSON: %j', (status, changes) => {
    const job = running(changes);
    expect(shownStatus(job, NOW)).toBe(status);
    expect(jobLine(job, NOW)[1]).toBe(status);
    expect(jobDocument(job, NOW).status).toBe(status);
  });
});

test('a job is written while it waits, and the projector that it has stopped stands in it before that stops', async () => {
  const services = memoryReplay({ entries: recordedEntries(1, 1), clock: systemClock });
  const job = jobOf({ target: 'repair' });
  job.pass = 'restore';
  const seen: (ReplayJob | undefined)[] = [];
  const waiting = {
    ...services,
    heartbeatMs: 5,
    whilePaused: async (work: () => Promise<void>) => {
      for (let look = 0; look < 2; look += 1) {
        seen.push(await services.jobs.read('job'));
        await systemClock.sleep(60);
      }
      await work();
    },
  };
  await services.jobs.create(job);
  await runReplay(waiting, job, new AbortController().signal);
  const [first, second] = seen;
  expect(first?.pause).toMatchObject({ purpose: 'repair', host: hostname(), pid: process.pid });
  expect(second?.updatedTime).toBeGreaterThan(first?.updatedTime ?? Number.POSITIVE_INFINITY);
  expect((await services.jobs.read('job'))?.pause).toBeUndefined();
});
