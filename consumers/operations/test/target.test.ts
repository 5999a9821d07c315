import { collectedOutput } from '@twinstream/command-line';
import { chooseTarget, type Environment, systemClock } from '@twinstream/runtime';
import { describe, expect, test, vi } from 'vitest';
import { operationsCommand } from '../src/command/operations-command.ts';
import { awsServices, operationsConfiguration, SERVICES } from '../src/services.ts';

/** Runs a command until it would reach its services, and says which environment they would have had. */
async function run(environment: Environment, ...argv: readonly string[]) {
  const [stdout, stderr] = [collectedOutput(), collectedOutput()];
  let reached: Environment | undefined;
  const exitCode = await operationsCommand(
    {
      argv,
      folder: '/',
      environment,
      stdout,
      stderr,
      clock: systemClock,
      stop: new AbortController().signal,
      ask: async () => undefined,
    },
    {
      enterTarget: (asked) => chooseTarget({ cwd: '/nowhere', environment, services: SERVICES, asked }),
      openServices: (target, { clock }) => {
        reached = target.environment;
        const services = awsServices(operationsConfiguration(target.environment), clock, target);
        return {
          ...services,
          generation: () => Promise.reject(new Error(`work began after: ${stderr.text()}`)),
        };
      },
    },
  );
  return { exitCode, stderr: stderr.text(), reached };
}

const AWS = { AWS_REGION: 'eu-west-1', AWS_PROFILE: 'production', TWINSTREAM_STREAM: 'their-events' };

describe('a command that finds no pipeline', () => {
  test.each([
    ['correct', 'bus-1', '--set', 'a=1', '--reason', 'x', '--actor', 'me'],
    ['quarantine', 'redrive', '--rejection', 'not-json', '--execute', '--reason', 'x', '--yes'],
    ['replay', 'start', '--from', 'PT1H', '--into', 'repair', '--execute', '--reason', 'x'],
    ['history', 'bus-1'],
    ['verify'],
  ])('reaches no AWS without --target aws: %s', async (...argv) => {
    const { exitCode, stderr, reached } = await run(AWS, ...argv);
    expect(stderr).toMatch(/AWS_PROFILE, AWS_REGION are set: to work on AWS, pass --target aws/);
    expect(reached).toBeUndefined();
    expect(exitCode).toBe(2);
  });

  test('says so in its first line where no region is set either', async () => {
    const { exitCode, stderr } = await run({}, 'status');
    expect(stderr.split('\n')[0]).toBe(
      'No pipeline found: no .twinstream/local.env here or above, and AWS_REGION is not set.',
    );
    expect(exitCode).toBe(4);
  });

  test('tells the target on AWS before any work', async () => {
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    const { stderr, reached } = await run(AWS, 'history', 'bus-1', '--target', 'aws');
    vi.unstubAllEnvs();
    expect(reached).toBe(AWS);
    expect(stderr).toMatch(
      /^target: AWS, region eu-west-1, https:\/\/kinesis\.eu-west-1\.amazonaws\.com, .*; stream their-events, tables events device-state shard-progress operations, bucket twinstream-archive, function state-projector\n/,
    );
    expect(stderr).toContain('work began after: target: AWS');
  });
});
