import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { readyLine } from '@twinstream/test-kit';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
/** Nothing listens there. */
const AWAY = 'http://127.0.0.1:9';

/** The API as a process of its own, as a supervisor runs it. */
export interface ApiProcess {
  readonly child: ChildProcess;
  /** The first line on its standard output. */
  firstLine(): Promise<string>;
  /** All that it said on standard error. */
  errors(): string;
  /** Resolves to its exit code. */
  readonly ended: Promise<number | null>;
}

/** Runs it with these variables; stores that none of them names are away. */
export function runApi(environment: Readonly<Record<string, string>>): ApiProcess {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL: AWAY,
      AWS_MAX_ATTEMPTS: '1',
      TWINSTREAM_ARCHIVE_BUCKET: 'archive',
      TWINSTREAM_API_PORT: '0',
      TWINSTREAM_LOG_LEVEL: 'warn',
      ...environment,
    },
  });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  return {
    child,
    errors: () => errors,
    ended: once(child, 'exit').then(([code]) => (typeof code === 'number' ? code : null)),
    firstLine: () => readyLine(child),
  };
}
