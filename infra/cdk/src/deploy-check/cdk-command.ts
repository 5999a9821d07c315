import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@twinstream/runtime';

const WORKSPACE_DIR = fileURLToPath(new URL('../..', import.meta.url));
const CDK = join(dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'bin', 'cdk');
const COMMAND_MS_MAX = 600_000;

/**
 * Runs the CDK's own command line. Throws `CDK_FAILED` with what it said.
 *
 * @param cwd folder of the app: `infra/cdk` of this commit or another
 */
export function cdk(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  cwd = WORKSPACE_DIR,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CDK, ...args], {
      cwd,
      env: {
        PATH: [dirname(process.execPath), process.env.PATH].join(':'),
        HOME: process.env.HOME,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        ...environment,
        CDK_DISABLE_CLI_TELEMETRY: '1',
        CI: 'true',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: COMMAND_MS_MAX,
    });
    let output = '';
    for (const pipe of [child.stdout, child.stderr]) {
      pipe.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new CodedError('CDK_FAILED', `cdk ${args[0]} ended with ${code ?? signal}:\n${output}`));
    });
  });
}
