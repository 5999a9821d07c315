import {
  PUT_RECORDS_BYTES_MAX,
  PUT_RECORDS_RECORDS_MAX,
  RECORD_BYTES_MAX,
  RETENTION_HOURS,
  RETENTION_HOURS_MAX,
  RETENTION_HOURS_MIN,
  SHARD_IN_BYTES_PER_SECOND,
  SHARD_IN_RECORDS_PER_SECOND,
  SHARD_OUT_BYTES_PER_SECOND,
} from '@twinstream/stream-model';
import { expect, test } from 'vitest';

test('the retention is a week and allowed', () => {
  expect(RETENTION_HOURS).toBe(7 * 24);
  expect(RETENTION_HOURS).toBeGreaterThan(RETENTION_HOURS_MIN);
  expect(RETENTION_HOURS).toBeLessThanOrEqual(RETENTION_HOURS_MAX);
});

test('the largest record fits into a request and into one second of a shard', () => {
  expect(RECORD_BYTES_MAX).toBeLessThanOrEqual(PUT_RECORDS_BYTES_MAX);
  expect(RECORD_BYTES_MAX).toBeLessThanOrEqual(SHARD_IN_BYTES_PER_SECOND);
});

test('a shard gives out no slower than it takes in, and takes more records a second than one request holds', () => {
  expect(SHARD_OUT_BYTES_PER_SECOND).toBeGreaterThanOrEqual(SHARD_IN_BYTES_PER_SECOND);
  expect(SHARD_IN_RECORDS_PER_SECOND).toBeGreaterThanOrEqual(PUT_RECORDS_RECORDS_MAX);
});
