import { collectedOutput, EXIT_CODES } from '@twinstream/command-line';
import { systemClock } from '@twinstream/runtime';
import { expect, test } from 'vitest';
import { operationsCommand } from '../../src/command/operations-command.ts';

test.each([
  ['status', '--watch', '0s'],
  ['verify', '--archive-lag', 'soon'],
  ['replay', 'start', '--from', 'PT1H', '--function-timeout', '16m'],
])('%s refuses a duration that it cannot work with before it reaches a pipeline: %s %s', async (...argv) => {
  const stderr = collectedOutput();
  let hasEntered = false;
  const exitCode = await operationsCommand(
    {
      argv: argv.filter(Boolean),
      folder: '/',
      environment: {},
      stdout: collectedOutput(),
      stderr,
      clock: systemClock,
      stop: AbortSignal.timeout(5_000),
      ask: async () => undefined,
    },
    {
      enterTarget: () => {
        hasEntered = true;
        throw new Error('reached');
      },
    },
  );
  expect(stderr.text()).toMatch(/It must be a duration from|is not a duration/);
  expect(exitCode).toBe(EXIT_CODES.usage);
  expect(hasEntered).toBe(false);
});
