import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Environment } from './configuration.ts';

/** Where a pipeline that runs beside says how to reach it: `KEY=value` lines, below the folder it was started in. */
export const LOCAL_ENVIRONMENT_FILE = join('.twinstream', 'local.env');

/** Folders that the search climbs at most. */
const FOLDERS_MAX = 64;
const LINE = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;
const CREDENTIALS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const;

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
  let folder = cwd;
  for (let climbed = 0; climbed < FOLDERS_MAX; climbed += 1) {
    const path = join(folder, LOCAL_ENVIRONMENT_FILE);
    const text = readIfPresent(path);
    if (text !== undefined) return { path, variables: parseVariables(text) };
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
  return undefined;
}

/**
 * The environment of a command: `environment`, and below it what a pipeline that runs beside says in its
 * `.twinstream/local.env`, searched from `cwd` upwards.
 *
 * A variable of the real environment wins; an empty one counts as absent. Two groups win or lose together, so that no
 * request mixes two sources: the credentials (one of them set: the file's are left out), and the endpoints
 * (`AWS_ENDPOINT_URL` set: the file's `AWS_ENDPOINT_URL_…`, which the SDK would prefer to it, are left out).
 */
export function readLocalEnvironment(cwd: string, environment: Environment): Environment {
  const file = findLocalEnvironment(cwd);
  if (file === undefined) return environment;
  const isSet = (name: string): boolean => environment[name] !== undefined && environment[name] !== '';
  const hasCredentials = CREDENTIALS.some(isSet);
  const hasEndpoint = isSet('AWS_ENDPOINT_URL');
  const wanted = Object.entries(file.variables).filter(
    ([name]) =>
      !isSet(name) &&
      !(hasCredentials && (CREDENTIALS as readonly string[]).includes(name)) &&
      !(hasEndpoint && name.startsWith('AWS_ENDPOINT_URL')),
  );
  return { ...environment, ...Object.fromEntries(wanted) };
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

/** `KEY=value` lines as a shell would source them, as far as plain and quoted values go. Other lines are passed over. */
function parseVariables(text: string): Record<string, string> {
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
