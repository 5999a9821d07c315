import { CodedError } from '@twinstream/runtime';
import { describe, expect, test } from 'vitest';

describe('a coded error', () => {
  test('carries its code, that it is final unless said otherwise, and its cause', () => {
    const cause = new TypeError('underneath');
    expect(new CodedError('STREAM_GONE', 'the stream is gone', { cause })).toMatchObject({
      name: 'CodedError',
      code: 'STREAM_GONE',
      message: 'the stream is gone',
      retryable: false,
      cause,
    });
    expect(new CodedError('BUSY', 'later', { retryable: true }).retryable).toBe(true);
  });

  test('is an Error, with a stack, and without a cause where it has none', () => {
    const error = new CodedError('X', 'x');
    expect(error).toBeInstanceOf(Error);
    expect(error.stack).toContain('coded-error.test.ts');
    expect(Object.hasOwn(error, 'cause')).toBe(false);
  });
});
