import { describe, expect, test } from 'vitest';
import { queryApiConfiguration } from '../src/configuration.ts';

const NEEDED = { TWINSTREAM_ARCHIVE_BUCKET: 'archive' };

describe('the configuration', () => {
  test('has a default for everything but the bucket', () => {
    expect(queryApiConfiguration(NEEDED)).toMatchObject({
      streamName: 'device-events',
      port: 8_080,
      token: undefined,
      liveness: { default: { staleAfterMs: 120_000, offlineAfterMs: 900_000 }, byType: new Map() },
    });
  });

  test('reads thresholds by type', () => {
    const { liveness } = queryApiConfiguration({
      ...NEEDED,
      TWINSTREAM_STALE_AFTER: '30s',
      TWINSTREAM_OFFLINE_AFTER: 'PT5M',
      TWINSTREAM_LIVENESS_BY_TYPE: 'door-sensor=10m/1h, gate=1d/2d',
    });
    expect(liveness.default).toEqual({ staleAfterMs: 30_000, offlineAfterMs: 300_000 });
    expect([...liveness.byType]).toEqual([
      ['door-sensor', { staleAfterMs: 600_000, offlineAfterMs: 3_600_000 }],
      ['gate', { staleAfterMs: 86_400_000, offlineAfterMs: 172_800_000 }],
    ]);
  });

  test('reports all faults together, each by the name of its variable', () => {
    const read = () =>
      queryApiConfiguration({
        TWINSTREAM_API_PORT: '70000',
        TWINSTREAM_API_TOKEN: 'short',
        TWINSTREAM_STALE_AFTER: 'soon',
        TWINSTREAM_LIVENESS_BY_TYPE: 'gate=2d/1d',
      });
    for (const name of ['ARCHIVE_BUCKET', 'API_PORT', 'API_TOKEN', 'STALE_AFTER', 'LIVENESS_BY_TYPE']) {
      expect(read).toThrow(`TWINSTREAM_${name}`);
    }
  });

  test('refuses thresholds where a device would be offline before it is stale', () => {
    expect(() =>
      queryApiConfiguration({ ...NEEDED, TWINSTREAM_STALE_AFTER: '10m', TWINSTREAM_OFFLINE_AFTER: '5m' }),
    ).toThrow('TWINSTREAM_OFFLINE_AFTER');
  });
});
