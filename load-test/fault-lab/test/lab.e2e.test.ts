import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const CAREFUL = fileURLToPath(new URL('./consumers/careful-consumer.ts', import.meta.url));
const HANDLER = fileURLToPath(new URL('../consumers/powertools.ts', import.meta.url));

/** Half a minute of load at most, so that the tests stay short. */
const SMALL = ['--records', '300', '--rate', '100', '--quiet', '8s', '--output', 'json'];

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function lab(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { exitCode, stdout, stderr };
}

describe.concurrent('the fault lab', () => {
  test('finds nothing lost or reordered of a consumer that reads parents before children', async () => {
    const { exitCode, stdout } = await lab(...SMALL, '--', process.execPath, CAREFUL);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({
      stored: 300,
      processed: 300,
      lost: 0,
      reordered: 0,
      reshards: 3,
      kills: 1,
    });
    // It keeps no checkpoint: killed, it reads from the beginning again.
    expect(result.repeated).toBeGreaterThan(0);
    expect(exitCode).toBe(0);
  });

  test('names what a consumer loses that never looks for new shards', async () => {
    const command = [process.execPath, CAREFUL, '--forgets-children'];
    const { exitCode, stdout } = await lab(...SMALL, '--kills', '0', '--', ...command);
    const { lost, examples, violated } = JSON.parse(stdout);
    expect(lost).toBeGreaterThan(0);
    expect(examples.lost[0]).toMatch(/^lab\/device-\d+\/\d+$/);
    expect(violated).toEqual(['no-loss']);
    expect(exitCode).toBe(1);
  });

  test('runs a handler in batches as Lambda does: nothing lost, order kept', async () => {
    const { exitCode, stdout } = await lab(...SMALL, '--handler', HANDLER);
    expect(JSON.parse(stdout)).toMatchObject({ processed: 300, lost: 0, reordered: 0, kills: 1 });
    expect(exitCode).toBe(0);
  });

  test('says how a consumer ended that ends by itself, with what it wrote last', async () => {
    const script = 'console.error("no such table"); process.exit(3)';
    const { exitCode, stderr, stdout } = await lab(...SMALL, '--', process.execPath, '-e', script);
    expect(stderr).toContain('the consumer ended by itself (exit code 3):\nno such table');
    expect(stdout).toBe('');
    expect(exitCode).toBe(1);
  });

  test('refuses more kills than there are records to stand between', async () => {
    const few = ['--records', '3', '--kills', '5', '--', process.execPath, CAREFUL];
    const { exitCode, stderr } = await lab(...few);
    expect(stderr).toContain('--records must be more than 5');
    expect(exitCode).toBe(2);
  });

  test('refuses to run without a consumer, and with two', async () => {
    for (const args of [[], ['--handler', HANDLER, '--', 'node', 'consumer.js']]) {
      const { exitCode, stderr } = await lab(...args);
      expect(stderr).toContain('either a command after --, or --handler');
      expect(exitCode).toBe(2);
    }
  });
});
