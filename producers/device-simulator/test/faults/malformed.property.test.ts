import { decodeEvent, encodeEvent } from '@twinstream/device-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { damage } from '../../src/faults/malformed.ts';
import { seededDraws } from '../../src/fleet/draws.ts';
import { createFleet } from '../../src/fleet/fleet.ts';
import { DEFAULT_KIND_MIX } from '../../src/fleet/kind-mix.ts';

test('a damaged event is rejected by the decoder for the reason that was named, and every reason occurs', () => {
  const fleet = createFleet({
    deviceCount: 20,
    kinds: DEFAULT_KIND_MIX,
    skew: { kind: 'even' },
    seed: 9,
    startTimeMs: 0,
    session: 1,
    outageEveryMs: 5_000,
    outageLastsMs: 1_000,
    rebootEveryMs: 5_000,
    firmwareEveryMs: 5_000,
    clockSkewShare: 0,
  });
  const reasons = new Set<string>();
  let offsetMs = 0;
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      offsetMs += 100;
      const { event } = fleet.next(offsetMs);
      const text = Buffer.from(encodeEvent(event)).toString().trimEnd();
      const { bytes, rejection } = damage(text, seededDraws(seed, 1));
      expect(decodeEvent(bytes)).toMatchObject({ rejected: rejection });
      reasons.add(rejection);
    }),
    { numRuns: 1_000 },
  );
  expect(reasons.size).toBe(11);
});

test('texts beyond ASCII are damaged as well', () => {
  const text =
    '{"v":1,"deviceId":"d","type":"reported","time":"2026-01-01T00:00:00Z","data":{"où":"😀😀😀😀😀😀"}}';
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const { bytes, rejection } = damage(text, seededDraws(seed, 1));
      expect(decodeEvent(bytes)).toMatchObject({ rejected: rejection });
    }),
    { numRuns: 300 },
  );
});
