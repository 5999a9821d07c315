import { collectedOutput, EXIT_CODES, writeToReader } from '@twinstream/command-line';
import { systemClock } from '@twinstream/runtime';
import { describe, expect, test } from 'vitest';
import { operationsCommand } from '../../src/command/operations-command.ts';
import { runReplay } from '../../src/replay/run-replay.ts';
import { jobOf, memoryReplay, recordedEntries } from '../replay/memory-replay.ts';

test('a command that only looks ends quietly when nobody reads its output', async () => {
  const stdout = collectedOutput({ onWrite: () => stdout.close() });
  const stderr = collectedOutput();
  const exitCode = await operationsCommand(
    {
      argv: ['plan', '--devices', '100', '--period', '10s', '--bytes', '170'],
      folder: '/',
      environment: {},
      stdout,
      stderr,
      clock: systemClock,
      stop: new AbortController().signal,
      ask: async () => undefined,
    },
    { enterTarget: () => ({ name: 'local', environment: {} }) },
  );
  expect(exitCode).toBe(EXIT_CODES.outputClosed);
  expect(stderr.text()).toBe('');
});

describe('a replay to standard output', () => {
  const lines = (text: string) => text.split('\n').filter(Boolean);

  test('stops when nobody reads, and a resume writes the rest', async () => {
    const entries = recordedEntries(6, 40);
    const first = collectedOutput({ onWrite: () => lines(first.text()).length > 100 && first.close() });
    const services = memoryReplay({ entries, write: (text) => writeToReader(first, text) });
    const job = jobOf({ target: 'stdout' });
    await runReplay(services, job, first.closed);
    expect(job.status).toBe('stopped');
    const second = collectedOutput();
    const resumed = { ...services, write: (text: string) => writeToReader(second, text) };
    await runReplay(resumed, job, second.closed);
    expect(job.status).toBe('completed');
    const written = [...lines(first.text()), ...lines(second.text())];
    // What was on its way when the reader went is written again.
    expect(written.length).toBeGreaterThan(entries.length);
    expect(new Set(written).size).toBe(entries.length);
  });
});
