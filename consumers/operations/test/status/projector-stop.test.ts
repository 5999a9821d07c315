import { hostname } from 'node:os';
import { EXIT_CODES } from '@twinstream/command-line';
import { describe, expect, test } from 'vitest';
import type { ReplayJob } from '../../src/replay/replay-job.ts';
import { projectorStop } from '../../src/status/read-status.ts';
import { archiverText, exitCodeOf, projectorText } from '../../src/status/status-command.ts';
import { jobOf } from '../replay/memory-replay.ts';

const NOW = Date.parse('2026-11-23T08:00:00Z');
const SINCE = NOW - 60_000;
/** Above every process id of Linux. */
const NO_PID = 2 ** 30;

const repairing = (changes: Partial<ReplayJob> = {}, pid = NO_PID): ReplayJob => ({
  ...jobOf({ target: 'repair' }),
  id: '20261123-a1b2c3',
  pass: 'restore',
  updatedTime: NOW - 1_000,
  runner: { token: 't', host: hostname(), pid },
  pause: { purpose: 'repair', since: SINCE, host: hostname(), pid },
  ...changes,
});

const stopBy = (...jobs: readonly ReplayJob[]) =>
  projectorStop(jobs, { mapping: 'uuid-1', changedMs: SINCE + 5_000, nowMs: NOW });
const shown = (...jobs: readonly ReplayJob[]) => {
  const status = { projector: 'Disabled', projectorStop: stopBy(...jobs), archiverStop: null };
  return { text: projectorText(status), exitCode: exitCodeOf(status) };
};

describe('a projector that a job has stopped', () => {
  test('and that a dead job will not start again is told with the job, the time and what to do, and is no success', () => {
    const { text, exitCode } = shown(repairing());
    expect(text).toContain(
      'paused by job 20261123-a1b2c3 (repair, pass restore) since 2026-11-23T07:59:00.000Z',
    );
    expect(text).toContain('nothing resumes it until you do');
    expect(text).toContain('replay start --resume 20261123-a1b2c3');
    expect(text).toContain('replay cancel 20261123-a1b2c3');
    expect(exitCode).toBe(EXIT_CODES.failed);
  });

  test('and that the job will start again is told, and is no fault', () => {
    const { text, exitCode } = shown(repairing({}, process.pid));
    expect(text).toContain('the job will resume it');
    expect(exitCode).toBe(EXIT_CODES.success);
  });

  test('is held by another machine as long as that writes the job', () => {
    const runner = { token: 't', host: 'elsewhere', pid: 1 };
    expect(shown(repairing({ runner })).exitCode).toBe(EXIT_CODES.success);
    expect(shown(repairing({ runner, updatedTime: NOW - 16_000 })).exitCode).toBe(EXIT_CODES.failed);
  });

  test('for a promotion that was killed is started by a cancel', () => {
    const pause = { purpose: 'promotion' as const, since: SINCE, host: hostname(), pid: NO_PID };
    const { text, exitCode } = shown(repairing({ status: 'completed', pass: 'done', pause }));
    expect(text).toContain('(promotion, pass done)');
    expect(text).toContain('replay cancel');
    expect(text).not.toContain('--resume');
    expect(exitCode).toBe(EXIT_CODES.failed);
  });
});

test('a projector that nobody of these tools has stopped is told with the command that starts it', () => {
  const before = repairing({ pause: { purpose: 'repair', since: NOW - 3_600_000, host: 'h', pid: 1 } });
  const { pause: _, ...other } = repairing();
  const { text, exitCode } = shown(before, other);
  expect(text).toContain('no job has paused it');
  expect(text).toContain('--uuid uuid-1 --enabled');
  expect(exitCode).toBe(EXIT_CODES.failed);
});

test('a projector that runs is no fault', () => {
  expect(projectorText({ projector: 'Enabled', projectorStop: null })).toBe('Enabled');
  expect(exitCodeOf({ projectorStop: null, archiverStop: null })).toBe(EXIT_CODES.success);
});

test('an archiver that is disabled is told with the command that starts it, and is a fault', () => {
  const archiverStop = { mapping: 'uuid-2' };
  expect(archiverText({ archiver: 'Disabled', archiverStop })).toContain('--uuid uuid-2 --enabled');
  expect(exitCodeOf({ projectorStop: null, archiverStop })).toBe(EXIT_CODES.failed);
  expect(archiverText({ archiver: 'Enabled', archiverStop: null })).toBe('Enabled');
});
