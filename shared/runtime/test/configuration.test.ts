import { CodedError, readConfiguration } from '@twinstream/runtime';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

const schema = z.object({
  TWINSTREAM_STREAM: z.string('the name of the stream'),
  TWINSTREAM_BATCH: z.coerce.number('a count').int('a whole number').min(1, 'at least 1').default(100),
  TWINSTREAM_LEVEL: z.enum(['info', 'debug'], 'info or debug').default('info'),
});

function faultOf(environment: Record<string, string | undefined>): CodedError {
  try {
    readConfiguration(schema, environment);
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('a configuration', () => {
  test('is read from its variables, others are left alone, and defaults fill in', () => {
    expect(
      readConfiguration(schema, { TWINSTREAM_STREAM: 'events', TWINSTREAM_BATCH: '5', PATH: '/bin' }),
    ).toEqual({
      TWINSTREAM_STREAM: 'events',
      TWINSTREAM_BATCH: 5,
      TWINSTREAM_LEVEL: 'info',
    });
  });

  test('takes an empty variable as an absent one', () => {
    expect(readConfiguration(schema, { TWINSTREAM_STREAM: 'events', TWINSTREAM_BATCH: '' })).toMatchObject({
      TWINSTREAM_BATCH: 100,
    });
    expect(faultOf({ TWINSTREAM_STREAM: '' }).message).toContain('TWINSTREAM_STREAM: the name of the stream');
  });

  test('has no member for an absent variable that has no default', () => {
    const optional = z.object({ TWINSTREAM_MAPPING: z.string().optional() });
    expect(Object.keys(readConfiguration(optional, {}))).toEqual([]);
  });

  test('reports all its faults together, each with its variable and what it should be', () => {
    const { code, message, retryable } = faultOf({ TWINSTREAM_BATCH: '0', TWINSTREAM_LEVEL: 'loud' });
    expect({ code, retryable }).toEqual({ code: 'INVALID_CONFIGURATION', retryable: false });
    expect(message.split('\n')).toEqual([
      'configuration is invalid',
      '  TWINSTREAM_STREAM: the name of the stream',
      '  TWINSTREAM_BATCH: at least 1',
      '  TWINSTREAM_LEVEL: info or debug',
    ]);
  });

  test('reports what only several variables together can show', () => {
    const range = z
      .object({ LOW: z.coerce.number(), HIGH: z.coerce.number() })
      .refine(({ LOW, HIGH }) => LOW <= HIGH, 'LOW must not exceed HIGH');
    expect(() => readConfiguration(range, { LOW: '2', HIGH: '1' })).toThrow(
      'configuration: LOW must not exceed HIGH',
    );
  });

  test('cannot be changed', () => {
    expect(Object.isFrozen(readConfiguration(schema, { TWINSTREAM_STREAM: 'events' }))).toBe(true);
  });
});
