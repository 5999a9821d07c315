import { CodedError } from './coded-error.ts';
import type { Environment } from './configuration.ts';
import { findLocalEnvironment, LOCAL_ENVIRONMENT_FILE } from './local-environment.ts';
import { PROFILE_VARIABLE, type Profile } from './profile.ts';

/** Where a command works: a pipeline on this machine, or AWS. */
export const TARGETS = ['local', 'aws'] as const;
export type TargetName = (typeof TARGETS)[number];

/** What `--target` means, for the help of every command that has it. */
export const TARGET_HELP =
  'local: the pipeline of the nearest .twinstream/local.env, or the endpoints of this machine in the environment; ' +
  'aws: what the AWS SDK finds in the environment and its own files';

export type ServiceName = 'kinesis' | 'dynamodb' | 'firehose' | 'lambda' | 's3';

export interface TargetRequest {
  /** Folder from which `.twinstream/local.env` is searched upwards. */
  readonly cwd: string;
  readonly environment: Environment;
  /** Services that the command talks to. */
  readonly services: readonly ServiceName[];
  /** `--target`, where it was given. */
  readonly asked?: TargetName | undefined;
  /** Stands in place of a local pipeline's file; variables of the environment win over what it says. */
  readonly profile?: Profile | undefined;
}

export interface Target {
  readonly name: TargetName;
  /** All that the command, and the AWS SDK in it, shall see. */
  readonly environment: Environment;
}

const ENDPOINT = 'AWS_ENDPOINT_URL';
const PROFILES = ['AWS_PROFILE', 'AWS_DEFAULT_PROFILE'] as const;
const CREDENTIALS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const;
const REGIONS = ['AWS_REGION', 'AWS_DEFAULT_REGION'] as const;
/** Variables that point a command at AWS; the message names those that are set. */
const POINTERS: readonly string[] = [
  ...PROFILES,
  ...CREDENTIALS.slice(0, 1),
  ...REGIONS,
  'AWS_ROLE_ARN',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

/** Settings of the AWS CLI or SDK that a shell may hold, and that would lead elsewhere beside those of a local pipeline. */
export const SET_ASIDE_BESIDE_A_PIPELINE: readonly string[] = [
  ...PROFILES,
  'AWS_SESSION_TOKEN',
  'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
];

/**
 * Decides where a command works. AWS is never chosen by itself: it must be asked for.
 *
 * A local pipeline is one that the nearest `.twinstream/local.env` names, or one whose endpoints on this machine stand in
 * the environment, which win. Beside it no other AWS setting of the shell counts: no profile, no credentials, no region.
 *
 * A profile of the configuration file takes the place of `.twinstream/local.env`. It names endpoints and resources, and never chooses AWS: one whose endpoints are not
 * on this machine needs `--target aws`, too.
 *
 * Throws `TARGET_REQUIRED` where no pipeline is found and the environment points at AWS, and `NO_PIPELINE` where it points
 * nowhere, or where `local` was asked for and there is none.
 */
export function chooseTarget({ cwd, environment: given, services, asked, profile }: TargetRequest): Target {
  const environment = profile === undefined ? given : withProfile(given, profile);
  if (asked === 'aws') return { name: 'aws', environment };
  const file = profile === undefined ? findLocalEnvironment(cwd)?.variables : undefined;
  const local = localEnvironment(file, environment, services);
  if (local !== undefined) {
    return { name: 'local', environment: profile === undefined ? local : withLocalIdentity(local) };
  }
  const notFound =
    profile === undefined
      ? `No pipeline found: no ${LOCAL_ENVIRONMENT_FILE} here or above`
      : `Profile ${profile.name} of ${profile.path} names no endpoints of this machine for ${services.join(', ')}`;
  const start = 'Start one with npx twinstream start, or source the local.env of one that runs.';
  if (asked === 'local') {
    throw new CodedError('NO_PIPELINE', `${notFound}, and no endpoints of this machine are set.\n${start}`);
  }
  const pointers = Object.keys(environment).filter(
    (name) => isSet(environment, name) && (POINTERS.includes(name) || name.startsWith(ENDPOINT)),
  );
  if (pointers.length === 0) {
    throw new CodedError(
      'NO_PIPELINE',
      `${notFound}, and AWS_REGION is not set.\n${start} For one on AWS, set AWS_REGION and credentials, and pass --target aws.`,
    );
  }
  throw new CodedError(
    'TARGET_REQUIRED',
    `${notFound}. ${pointers.sort().join(', ')} ${pointers.length === 1 ? 'is' : 'are'} set: to work on AWS, pass --target aws.\n${start}`,
  );
}

/** Makes `processEnvironment`, which the AWS SDK reads, what a target says. */
export function enterTarget(target: Target, processEnvironment: Record<string, string | undefined>): Target {
  for (const name of Object.keys(processEnvironment)) {
    if (target.environment[name] === undefined) delete processEnvironment[name];
  }
  Object.assign(processEnvironment, target.environment);
  return target;
}

/** An environment without any setting that leads elsewhere: of the AWS CLI or SDK, and the profile. */
export function withoutAwsSettings(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith('AWS_') && name !== PROFILE_VARIABLE),
  );
}

/** Endpoints on this machine check no signature, and the SDK asks nobody without a region and credentials to sign with. */
function withLocalIdentity(environment: Environment): Environment {
  const hasRegion = REGIONS.some((name) => isSet(environment, name));
  const hasIdentity = ['AWS_ACCESS_KEY_ID', ...PROFILES].some((name) => isSet(environment, name));
  return {
    ...environment,
    ...(hasRegion ? {} : { AWS_REGION: 'us-east-1' }),
    ...(hasIdentity ? {} : { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' }),
  };
}

/** The environment with what a profile says where the environment says nothing. */
function withProfile(environment: Environment, { variables }: Profile): Environment {
  // The SDK would prefer a service's own endpoint to one for all, and a profile to keys.
  const hasEndpoint = isSet(environment, ENDPOINT);
  const said = chosen(
    variables,
    (name) =>
      !isSet(environment, name) &&
      !(hasEndpoint && name.startsWith(ENDPOINT)) &&
      !(name === 'AWS_PROFILE' && isSet(environment, 'AWS_ACCESS_KEY_ID')),
  );
  return { ...environment, ...said };
}

/** The environment of a command beside a local pipeline; undefined where not every service has an endpoint there. */
function localEnvironment(
  file: Readonly<Record<string, string>> | undefined,
  environment: Environment,
  services: readonly ServiceName[],
): Environment | undefined {
  const own = chosen(environment, (name, value) => name.startsWith(ENDPOINT) && isOnThisMachine(value));
  // The SDK would prefer a service's own endpoint to one for all.
  const fromFile = chosen(file ?? {}, (name) => !(ENDPOINT in own && name.startsWith(ENDPOINT)));
  const endpoints = { ...fromFile, ...own };
  const isLocal = services.every((service) => {
    const endpoint = endpoints[`${ENDPOINT}_${service.toUpperCase()}`] ?? endpoints[ENDPOINT];
    return endpoint !== undefined && isOnThisMachine(endpoint);
  });
  if (!isLocal) return undefined;
  const rest = chosen(environment, (name) => !name.startsWith('AWS_'));
  return { ...fromFile, ...(file === undefined ? identityOf(environment) : {}), ...own, ...rest };
}

/** Region and credentials of the environment. A profile counts where there are no keys: the SDK would prefer it to them. */
function identityOf(environment: Environment): Environment {
  const hasKeys = isSet(environment, 'AWS_ACCESS_KEY_ID');
  const names: readonly string[] = [...REGIONS, ...(hasKeys ? CREDENTIALS : PROFILES)];
  return chosen(environment, (name) => names.includes(name));
}

function isSet(environment: Environment, name: string): boolean {
  return environment[name] !== undefined && environment[name] !== '';
}

/** Variables that are not empty and of which `isWanted` is true. */
function chosen(
  environment: Environment,
  isWanted: (name: string, value: string) => boolean,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => !!entry[1] && isWanted(entry[0], entry[1]),
    ),
  );
}

function isOnThisMachine(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  return /^(?:127(?:\.\d{1,3}){3}|\[::1\]|(?:[a-z0-9-]+\.)*localhost)$/i.test(hostname);
}
