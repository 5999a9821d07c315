import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where a pipeline that runs beside says how to reach it: `export KEY=value` lines, below the folder it was started in. */
export const LOCAL_ENVIRONMENT_FILE = join('.twinstream', 'local.env');

const LINE = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;

/** The file's path and what it says. */
export interface LocalEnvironmentFile {
  readonly path: string;
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * The nearest `.twinstream/local.env`, searched from `cwd` upwards; undefined when there is none. Throws the file
 * system's error when there is one that cannot be read.
 */
export function findLocalEnvironment(cwd: string): LocalEnvironmentFile | undefined {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const path = join(folder, LOCAL_ENVIRONMENT_FILE);
    const text = readIfPresent(path);
    if (text !== undefined) return { path, variables: parseVariables(text) };
    if (dirname(folder) === folder) return undefined;
  }
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** `KEY=value` and `export KEY=value` lines as a shell would source them, as far as plain and quoted values go. Other lines are passed over. */
export function parseVariables(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = LINE.exec(line.trim()) ?? [];
    if (name !== undefined && value !== undefined) variables[name] = unquoted(value);
  }
  return variables;
}

function unquoted(value: string): string {
  const quote = value[0];
  const isQuoted = value.length >= 2 && (quote === "'" || quote === '"') && value.endsWith(quote);
  return isQuoted ? value.slice(1, -1) : value;
}
