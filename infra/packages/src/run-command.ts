import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Time after which it is ended, in milliseconds; three minutes by default. */
  readonly msMax?: number;
}

/**
 * Runs a command to its end and returns its standard output. Rejects, with everything that it wrote, unless it exits with 0 in time.
 */
export function runCommand(
  command: string,
  parameters: readonly string[],
  { cwd, env = {}, msMax = COMMAND_MS_MAX }: CommandOptions,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command, parameters, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: msMax,
  });
  let output = '';
  let all = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    all += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    all += text;
  });
  child.on('error', reject);
  child.on('close', (code, signal) => {
    if (code === 0) resolve(output);
    else reject(new Error(`${[command, ...parameters].join(' ')}: exit code ${code ?? signal}\n${all}`));
  });
  return promise;
}

const COMMAND_MS_MAX = 180_000;
