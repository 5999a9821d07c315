import { localAccess } from '@twinstream/end-to-end';
import { describe, expect, test } from 'vitest';
import { confirmLoad, plannedLoad } from '../src/confirm-load.ts';
import { type LoadOptions, readLoadOptions } from '../src/load-options.ts';

const url = 'http://127.0.0.1:1';
const found = {
  access: localAccess({
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
    AWS_ENDPOINT_URL_KINESIS: url,
    AWS_ENDPOINT_URL_DYNAMODB: url,
    AWS_ENDPOINT_URL_LAMBDA: url,
    AWS_ENDPOINT_URL_S3: url,
    TWINSTREAM_STREAM: 'their-events',
    TWINSTREAM_EVENTS_TABLE: 'events',
    TWINSTREAM_DEVICE_STATE_TABLE: 'device-state',
    TWINSTREAM_SHARD_PROGRESS_TABLE: 'shard-progress',
    TWINSTREAM_ARCHIVE_BUCKET: 'archive',
  }),
  region: 'eu-west-1',
};

function options(...argv: string[]): LoadOptions {
  const read = readLoadOptions(['--target', 'aws', '--rate', '1000', '--duration', '1m', ...argv]);
  if (read.kind === 'compare') throw new TypeError('no load');
  return read;
}

describe('what is about to happen', () => {
  test('names stream, region, events with those of the warm-up, and dollars', () => {
    expect(plannedLoad(found, options())).toMatch(
      /about 70,000 events of 500 simulated devices .* their-events in eu-west-1, at about [\d.,]+ dollars a million/,
    );
  });

  test('counts what a burst adds, and says what a scenario does', () => {
    expect(plannedLoad(found, options('--scenario', 'burst'))).toContain('about 82,000 events');
    expect(plannedLoad(found, options('--scenario', 'consumer-outage'))).toContain('is not invoked');
  });

  test('leaves dollars out where there is no plan', () => {
    const told = plannedLoad(found, options('--rate', '200000', '--devices', '1'));
    expect(told).not.toContain('dollars');
  });
});

describe('a confirmation', () => {
  const answered = (answer: string | undefined, ...argv: string[]) =>
    confirmLoad({ found, options: options(...argv), ask: async () => answer });

  test.each(['y', 'Yes '])('is given with %j', async (answer) => {
    await expect(answered(answer)).resolves.toBeUndefined();
  });

  test.each(['', 'n', 'yesterday'])('is not given with %j', async (answer) => {
    await expect(answered(answer)).rejects.toMatchObject({ code: 'NOT_CONFIRMED' });
  });

  test('is asked of nobody with --yes, and must be given by somebody without', async () => {
    await expect(answered(undefined, '--yes')).resolves.toBeUndefined();
    await expect(answered(undefined)).rejects.toMatchObject({ code: 'INVALID_USAGE' });
  });
});
