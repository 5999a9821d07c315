import type { Skew } from '@twinstream/device-simulator';

/** The skew that flags of the simulator ask for. */
export function skewOf(flags: readonly string[]): Skew {
  const given = flags.indexOf('--skew');
  const text = given < 0 ? undefined : flags[given + 1];
  if (text === undefined || text === 'even') return { kind: 'even' };
  return { kind: 'zipf', exponent: Number(text.replace('zipf:', '')) };
}
