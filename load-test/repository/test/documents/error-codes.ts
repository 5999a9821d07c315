import { readText, sourcePaths } from './repository.ts';

/**
 * Words in upper snake case that stand between quotes in the source and are not error codes of this project: values of AWS APIs and
 * codes that Node sets. Any other word that the runbook does not list fails the test, however it is thrown.
 */
const OTHER_WORDS = new Set([
  // Account settings of Kinesis.
  'ENABLED_UNTIL_EARLIEST_ALLOWED_END',
  'AFTER_SEQUENCE_NUMBER',
  'AFTER_SHARD_ID',
  'ALL_NEW',
  'ALL_OLD',
  'AT_LATEST',
  'AT_SEQUENCE_NUMBER',
  'AT_TIMESTAMP',
  'AT_TRIM_HORIZON',
  'CUSTOMER_MANAGED_CMK',
  'EXTERNAL_TABLE',
  'FROM_TIMESTAMP',
  'FROM_TRIM_HORIZON',
  'GREATER_THAN',
  'HPE_HEADER_OVERFLOW',
  'KEYS_ONLY',
  'NEW_AND_OLD_IMAGES',
  'ON_DEMAND',
  'PAY_PER_REQUEST',
  'SSE_KMS',
  'TRIM_HORIZON',
  'UNIFORM_SCALING',
  'UPDATED_OLD',
]);
const ENVIRONMENT = /^(?:AWS|TWINSTREAM)_/;
/** Prefix of Node's own error codes (https://nodejs.org/api/errors.html#nodejs-error-codes); none of this project has it. */
const OF_NODE = /^ERR_/;

const QUOTED = /(['"])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\1/g;
/** Codes of one word, too, where they are made. */
const THROWN = /\b(?:CodedError|refusal)\(\s*(['"])([A-Z][A-Z0-9_]*)\1/g;
/** Keys of a catalogue, which stand without quotes. */
const KEY = /^ {2}([A-Z][A-Z0-9_]*): [[{]/gm;
const CATALOGUES = [
  'shared/api-contract/src/problem.ts',
  'producers/stream-producer/src/kinesis-transport.ts',
];

/** Instruments: errors there are simulated ones of services, under any name, and words there are variables of other programs. */
const INSTRUMENTS = ['load-test/mutation/src/', 'load-test/simulation/src/', 'shared/test-kit/src/'];

/** Every error code that the source can make, with the files that name it. */
export function sourceCodes(): ReadonlyMap<string, readonly string[]> {
  const codes = new Map<string, string[]>();
  const add = (code: string | undefined, path: string) => {
    if (code === undefined || OTHER_WORDS.has(code) || ENVIRONMENT.test(code) || OF_NODE.test(code)) return;
    codes.set(code, [...(codes.get(code) ?? []), path]);
  };
  for (const path of sourcePaths()) {
    if (INSTRUMENTS.some((folder) => path.startsWith(folder))) continue;
    const code = withoutComments(readText(path));
    for (const match of [...code.matchAll(QUOTED), ...code.matchAll(THROWN)]) add(match[2], path);
    if (CATALOGUES.includes(path)) for (const match of code.matchAll(KEY)) add(match[1], path);
  }
  return codes;
}

/** Comments on lines of their own; one behind code holds no quoted code here. */
function withoutComments(source: string): string {
  return source.replaceAll(/^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}
