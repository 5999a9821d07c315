import { CodedError } from '@twinstream/runtime';
import { describe, expect, test } from 'vitest';
import { EXIT_CODES, type ExitCode } from '../src/exit-codes.ts';
import { explainFailure } from '../src/explain-failure.ts';
import { refusal, usageError } from '../src/refusal.ts';

const environment = { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' };
const explained = (error: unknown) => explainFailure(error, { environment });
const network = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

describe('the exit code of a failure', () => {
  test.each<[string, unknown, ExitCode]>([
    ['wrong usage', usageError('--at needs a time'), EXIT_CODES.usage],
    ['a missing --target', new CodedError('TARGET_REQUIRED', 'pass --target aws'), EXIT_CODES.usage],
    ['a refusal', refusal('NOT_CONFIRMED', 'nothing was changed'), EXIT_CODES.refused],
    ['no pipeline', new CodedError('NO_PIPELINE', 'no pipeline found'), EXIT_CODES.unavailable],
    ['no answer', network, EXIT_CODES.unavailable],
    ['data that cannot be read', new CodedError('PAGE_DAMAGED', 'page 3'), EXIT_CODES.unavailable],
    ['a fault of the program', new TypeError('x is not a function'), EXIT_CODES.internalError],
  ])('tells %s from the others', (_, error, exitCode) => {
    expect(explained(error).exitCode).toBe(exitCode);
  });

  test('is what the command says of its own errors, in their own words', () => {
    const ownErrors = new Map<string, ExitCode>([['PORT_TAKEN', EXIT_CODES.refused]]);
    const error = new CodedError('PORT_TAKEN', 'port 8080 is taken', { cause: network });
    expect(explainFailure(error, { environment, ownErrors })).toEqual({
      text: 'port 8080 is taken',
      exitCode: EXIT_CODES.refused,
    });
  });
});

test('an unreachable service is found below what was made of its error, and its address is named', () => {
  const error = new CodedError('STREAM_UNREADABLE', 'cannot read', {
    cause: new AggregateError([new Error('first'), network]),
  });
  expect(explained(error).text).toContain('http://127.0.0.1:4566: is it running?');
});

test('only a fault of the program shows its stack', () => {
  expect(explained(new RangeError('too large')).text).toMatch(
    /^a fault of this program: RangeError: .*\n +at /,
  );
  expect(explained(new Error('no region')).text).toBe('no region');
});
