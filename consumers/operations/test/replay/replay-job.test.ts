import { describe, expect, test } from 'vitest';
import { forgetFailures, newJob, noteFailure, RUN } from '../../src/replay/replay-job.ts';

const repair = () => newJob('job', { target: 'repair', parts: [], isPolite: true }, 0);

describe('a job that goes on', () => {
  test('forgets what ended the run before, and failures of a pass that is done again', () => {
    const job = repair();
    noteFailure(job, 'bus-1', new Error('pages cannot be restored'));
    noteFailure(job, RUN, new Error('no answer'));
    forgetFailures(job);
    expect(job).toMatchObject({ failures: [], failureCount: 0 });
  });

  test('keeps failures of a pass that is over, which nobody tries again', () => {
    const job = repair();
    noteFailure(job, 'bus-1', new Error('pages cannot be restored'));
    job.pass = 'apply';
    noteFailure(job, RUN, new Error('no answer'));
    forgetFailures(job);
    expect(job.failures.map(({ subject }) => subject)).toEqual(['bus-1']);
    expect(job.failureCount).toBe(1);
  });
});
