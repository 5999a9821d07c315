import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CodedError } from './coded-error.ts';
import type { Environment } from './configuration.ts';

/** Names the profile where no `--profile` does. */
export const PROFILE_VARIABLE = 'TWINSTREAM_PROFILE';

/** What `--profile` means, for the help of every command that has it. */
export const PROFILE_HELP = `endpoints and names from this profile of the configuration file (also ${PROFILE_VARIABLE}); see docs/how-to/use-profiles.md`;

const endpoint = z.url({ protocol: /^https?$/, error: 'a URL of http or https' });
const name = z.string().min(1, 'a name');

/** Members of a profile; each stands for the variable of the environment of {@link VARIABLES}, which wins over it. */
const profileSchema = z.strictObject({
  /** Of every service that has none of its own below. */
  endpoint: endpoint.optional(),
  endpoints: z
    .strictObject({
      kinesis: endpoint.optional(),
      dynamodb: endpoint.optional(),
      firehose: endpoint.optional(),
      lambda: endpoint.optional(),
      s3: endpoint.optional(),
    })
    .optional(),
  region: name.optional(),
  /** Profile of the AWS SDK, which holds the credentials: none stand in this file. */
  awsProfile: name.optional(),
  stream: name.optional(),
  eventsTable: name.optional(),
  deviceStateTable: name.optional(),
  shardProgressTable: name.optional(),
  operationsTable: name.optional(),
  archiveBucket: name.optional(),
  projectorFunction: name.optional(),
  archiverFunction: name.optional(),
});
type ProfileMembers = z.infer<typeof profileSchema>;

const fileSchema = z.strictObject({
  /** The profile of commands that name none. */
  defaultProfile: name.optional(),
  profiles: z.record(name, profileSchema).default({}),
});

const VARIABLES: Readonly<Record<Exclude<keyof ProfileMembers, 'endpoint' | 'endpoints'>, string>> = {
  region: 'AWS_REGION',
  awsProfile: 'AWS_PROFILE',
  stream: 'TWINSTREAM_STREAM',
  eventsTable: 'TWINSTREAM_EVENTS_TABLE',
  deviceStateTable: 'TWINSTREAM_DEVICE_STATE_TABLE',
  shardProgressTable: 'TWINSTREAM_SHARD_PROGRESS_TABLE',
  operationsTable: 'TWINSTREAM_OPERATIONS_TABLE',
  archiveBucket: 'TWINSTREAM_ARCHIVE_BUCKET',
  projectorFunction: 'TWINSTREAM_PROJECTOR_FUNCTION',
  archiverFunction: 'TWINSTREAM_ARCHIVER_FUNCTION',
};

/** A named set of endpoints and names. */
export interface Profile {
  readonly name: string;
  /** The file that it stands in. */
  readonly path: string;
  /** What it says, as variables of the environment. */
  readonly variables: Readonly<Record<string, string>>;
}

/** `twinstream/config.json` below `XDG_CONFIG_HOME`, or below `.config` of the home directory. Undefined where neither is known. */
export function profileFilePath(environment: Environment): string | undefined {
  const { XDG_CONFIG_HOME: folder, HOME, USERPROFILE } = environment;
  const home = HOME || USERPROFILE;
  const base = folder || (home ? join(home, '.config') : undefined);
  return base === undefined ? undefined : join(base, 'twinstream', 'config.json');
}

/**
 * The profile that a command works with: the one that is asked for (`--profile`), else that of `TWINSTREAM_PROFILE`, else the file's `defaultProfile`. Undefined where none is
 * named. Throws `INVALID_PROFILE`, with the file and the profile, where it is not there or has a fault.
 */
export function chooseProfile(environment: Environment, asked?: string): Profile | undefined {
  const named = asked ?? (environment[PROFILE_VARIABLE] || undefined);
  const path = profileFilePath(environment);
  const text = path === undefined ? undefined : textOf(path);
  if (path === undefined || text === undefined) {
    if (named === undefined) return undefined;
    throw invalid(
      `profile ${JSON.stringify(named)}: there is no file ${path ?? 'twinstream/config.json, since neither XDG_CONFIG_HOME nor HOME is set'}`,
    );
  }
  const file = parsed(text, path);
  const chosen = named ?? file.defaultProfile;
  if (chosen === undefined) return undefined;
  const members = Object.hasOwn(file.profiles, chosen) ? file.profiles[chosen] : undefined;
  if (members === undefined) {
    const names = Object.keys(file.profiles).sort().join(', ') || 'none';
    throw invalid(`there is no profile ${JSON.stringify(chosen)} in ${path}; profiles: ${names}`);
  }
  return { name: chosen, path, variables: variablesOf(members) };
}

function parsed(text: string, path: string): z.infer<typeof fileSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  const result = fileSchema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map(
    ({ path: place, message }) => `${place.join('.') || 'document'}: ${message}`,
  );
  throw invalid(`${path} has faults\n  ${faults.join('\n  ')}`);
}

function variablesOf({ endpoint: all, endpoints = {}, ...members }: ProfileMembers): Record<string, string> {
  const variables: Record<string, string> = all === undefined ? {} : { AWS_ENDPOINT_URL: all };
  for (const [service, url] of Object.entries(endpoints)) {
    if (url !== undefined) variables[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] = url;
  }
  for (const [member, variable] of Object.entries(VARIABLES)) {
    const value: unknown = Reflect.get(members, member);
    if (typeof value === 'string') variables[variable] = value;
  }
  return variables;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw invalid(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function invalid(message: string, cause?: unknown): CodedError {
  return new CodedError('INVALID_PROFILE', message, cause === undefined ? {} : { cause });
}
