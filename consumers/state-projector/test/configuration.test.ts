import { describe, expect, test } from 'vitest';
import { projectorConfiguration } from '../src/configuration.ts';
import { PROJECTOR_OPTIONS } from '../src/options.ts';

const BUCKET = { TWINSTREAM_ARCHIVE_BUCKET: 'archive' };

describe('the projector’s configuration', () => {
  test('needs the bucket alone: all else has a default', () => {
    const { options, tables, shardProgressTable, archiveBucket } = projectorConfiguration(BUCKET);
    expect(options).toEqual(PROJECTOR_OPTIONS);
    expect(tables).toEqual({ eventsTable: 'events', deviceStateTable: 'device-state' });
    expect({ shardProgressTable, archiveBucket }).toEqual({
      shardProgressTable: 'shard-progress',
      archiveBucket: 'archive',
    });
  });

  test('takes numbers from texts', () => {
    const { options } = projectorConfiguration({
      ...BUCKET,
      TWINSTREAM_DEVICES_AT_ONCE: '8',
      TWINSTREAM_HEADS_MAX: '100',
      TWINSTREAM_PAGES_PER_SNAPSHOT: '7',
      TWINSTREAM_PARALLELIZATION_FACTOR: '10',
    });
    const told = { devicesAtOnce: 8, headsMax: 100, pagesPerSnapshot: 7, parallelizationFactor: 10 };
    expect(options).toEqual({ ...PROJECTOR_OPTIONS, ...told });
  });

  test('reports all faults together, each by the name of its variable', () => {
    const read = () =>
      projectorConfiguration({
        TWINSTREAM_DEVICES_AT_ONCE: '0',
        TWINSTREAM_HEADS_MAX: 'many',
        TWINSTREAM_PARALLELIZATION_FACTOR: '11',
        TWINSTREAM_LOG_LEVEL: 'loud',
      });
    for (const name of [
      'ARCHIVE_BUCKET',
      'DEVICES_AT_ONCE',
      'HEADS_MAX',
      'PARALLELIZATION_FACTOR',
      'LOG_LEVEL',
    ])
      expect(read).toThrow(`TWINSTREAM_${name}`);
  });
});
