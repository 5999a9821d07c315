import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CodedError, parseVariables, SET_ASIDE_BESIDE_A_PIPELINE } from '@twinstream/runtime';
import { takeLock } from '../child-process/process-lock.ts';

/** The file by which other tools find a pipeline, kept to one pipeline. */
export interface LocalEnvFile {
  /**
   * Writes `export KEY=value` lines: what a shell that sources them starts afterwards sees them, and the CLIs read them.
   * A value that a shell would expand is quoted; none holds a quote. What would lead an AWS tool elsewhere, such as a profile, is unset there.
   * Who reads while it is written again gets the old lines or the new ones, whole.
   */
  write(environment: Readonly<Record<string, string>>): void;
  /** Takes the file away, so that no tool looks for a pipeline that has ended. */
  remove(): void;
}

/**
 * Takes the file at `path` for this process: what a pipeline that was killed left there is replaced. Throws `PIPELINE_RUNNING`,
 * naming process and address, where another pipeline lives there; its file is left alone.
 */
export function takeLocalEnvFile(path: string): LocalEnvFile {
  mkdirSync(dirname(path), { recursive: true });
  const taken = takeLock(`${path}.lock`);
  if (!('lock' in taken)) throw running(path, taken.owner);
  rmSync(path, { force: true });
  return {
    write: (environment) => {
      const lines = Object.entries(environment).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
      const unset = `unset ${SET_ASIDE_BESIDE_A_PIPELINE.join(' ')}\n`;
      writeFileSync(`${path}.new`, [unset, ...lines].join(''));
      renameSync(`${path}.new`, path);
    },
    remove: () => {
      rmSync(path, { force: true });
      taken.lock.release();
    },
  };
}

/** As it stands where it is plain, or in single quotes. */
function quoted(value: string): string {
  return /^[\w./:@%+=,-]*$/.test(value) ? value : `'${value}'`;
}

function running(path: string, owner: number | undefined): CodedError {
  const url = apiUrlIn(path);
  const where = url === undefined ? 'still starting' : `its API is ${url}`;
  return new CodedError(
    'PIPELINE_RUNNING',
    `a pipeline runs here already: process ${owner ?? 'unknown'}, ${where} (${path}).\n` +
      'Stop it first, or give a second one a file and a port of its own: ' +
      'npx twinstream start --local-env second.env --port 0 (and its own --data-dir)',
  );
}

function apiUrlIn(path: string): string | undefined {
  try {
    return parseVariables(readFileSync(path, 'utf8')).TWINSTREAM_API_URL;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
