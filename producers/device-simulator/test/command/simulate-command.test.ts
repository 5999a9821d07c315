import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectedOutput, EXIT_CODES } from '@twinstream/command-line';
import { chooseTarget, type Environment, enterTarget, systemClock } from '@twinstream/runtime';
import { freePort } from '@twinstream/runtime/free-port';
import { type Finished, keptVariables } from '@twinstream/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { simulateCommand } from '../../src/command/simulate-command.ts';

let folder: string;
let unusedPort: number;
let restoreVariables: () => void;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-simulate-'));
  unusedPort = await freePort();
});
beforeEach(() => {
  restoreVariables = keptVariables(process.env);
});
afterEach(() => restoreVariables());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The command as the main module runs it, without a process of its own. */
async function simulate(argv: readonly string[], variables: Record<string, string> = {}): Promise<Finished> {
  const environment: Environment = { PATH: process.env.PATH, HOME: folder, ...variables };
  const [stdout, stderr] = [collectedOutput(), collectedOutput()];
  const { signal } = new AbortController();
  const code = await simulateCommand({
    argv,
    folder,
    environment,
    stdout,
    stderr,
    ask: async () => undefined,
    // The SDK reads its endpoints, region and credentials from there.
    enterTarget: (asked) =>
      enterTarget(chooseTarget({ cwd: folder, environment, services: ['kinesis'], asked }), process.env),
    clock: systemClock,
    interrupts: { stop: signal, abort: signal },
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

const nowhere = (): Record<string, string> => ({
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_ENDPOINT_URL_KINESIS: `http://127.0.0.1:${unusedPort}`,
});

describe('simulate', () => {
  test.each([
    [['--frobnicate'], /unknown option '--frobnicate'/],
    [['--devices', 'many', '--rate', 'x'], /--devices: must be .*\n--rate: must be/],
    [['--output', 'xml'], /Allowed choices are text, json/],
    [['--count', '5', '--duration', '5s'], /--duration and --count exclude each other/],
    [['extra'], /too many arguments/],
    [['--input', 'nowhere.csv', '--id-column', 'a', '--time-column', 'b'], /there is no file .*nowhere\.csv/],
    [['--scenario', 'nowhere'], /there is no such file/],
  ])('with %j exits 2 and says why', async (args, message) => {
    const { code, stdout, stderr } = await simulate(args, nowhere());
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });

  test('exits 2 for a column that is not there, without asking the stream', async () => {
    writeFileSync(join(folder, 'day.csv'), 'vehicle,at,speed\n1,2017-03-21T00:00:00Z,5\n');
    const { code, stderr } = await simulate(
      ['--input', 'day.csv', '--id-column', 'vehicle_id', '--time-column', 'at'],
      nowhere(),
    );
    expect(stderr).toBe('there is no column "vehicle_id"; there are: vehicle, at, speed\n');
    expect(code).toBe(2);
  });

  test('exits 2 when all rows are rejected, names them, and writes no control character of the file', async () => {
    writeFileSync(join(folder, 'bad.csv'), 'id,at,x\u001b[2J\na,never,1\n');
    const columns = (time: string) => ['--input', 'bad.csv', '--id-column', 'id', '--time-column', time];
    const rejected = await simulate(columns('at'), nowhere());
    expect(rejected.stderr).toMatch(
      /^line 2: the time "never".*\nno event was sent: all 1 rows were rejected\n$/,
    );
    expect(rejected.code).toBe(2);
    const { stderr } = await simulate(columns('when'), nowhere());
    expect(stderr).toBe('there is no column "when"; there are: id, at, x\\u001b[2J\n');
  });

  test('exits 4 when nothing answers, and says what to do', async () => {
    const { code, stdout, stderr } = await simulate(['--count', '1'], nowhere());
    expect(stderr).toContain(`nothing answers at http://127.0.0.1:${unusedPort} (ECONNREFUSED)`);
    expect(stderr).toContain('npx twinstream start');
    expect(code).toBe(EXIT_CODES.unavailable);
    expect(stdout).toBe('');
  });

  test('exits 4 without a pipeline, and says what to do', async () => {
    const { code, stderr } = await simulate(['--count', '1']);
    expect(stderr).toMatch(
      /^No pipeline found: no .*local\.env here or above, and AWS_REGION is not set\.\nStart one with npx twinstream start/,
    );
    expect(code).toBe(EXIT_CODES.unavailable);
  });

  test('writes to AWS when told to alone, and says first where', async () => {
    const aws = { ...nowhere(), AWS_ENDPOINT_URL_KINESIS: 'http://nowhere.invalid:1' };
    const refused = await simulate(['--count', '1'], aws);
    expect(refused.stderr).toMatch(/^No pipeline found: .* are set: to work on AWS, pass --target aws/);
    expect(refused.code).toBe(2);
    const told = await simulate(['--count', '1', '--stream', 'theirs', '--target', 'aws'], aws);
    expect(told.stderr).toMatch(
      /^target: AWS, region us-east-1, http:\/\/nowhere\.invalid:1; stream theirs\nnothing answers/,
    );
    expect(told.code).toBe(EXIT_CODES.unavailable);
  });
});
