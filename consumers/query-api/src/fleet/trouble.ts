import { z } from 'zod';
import type { TimelessDeviceJson } from '../device-json.ts';
import type { Liveness } from '../liveness.ts';

/**
 * Why a device needs somebody's attention. `silent`: it went offline without having said so. `gaps`: events that it
 * counted have never arrived.
 */
export const TROUBLES = ['silent', 'gaps'] as const;
export type Trouble = (typeof TROUBLES)[number];

/** What a filter may ask for: one of them, any, or none at all. */
export const TROUBLE_FILTERS = ['any', 'none', ...TROUBLES] as const;
export type TroubleFilter = (typeof TROUBLE_FILTERS)[number];

export function meetsTroubleFilter(troubles: readonly Trouble[], filter: TroubleFilter): boolean {
  if (filter === 'any') return troubles.length > 0;
  return filter === 'none' ? troubles.length === 0 : troubles.includes(filter);
}

export const troublesSchema = z.array(z.enum(TROUBLES)).meta({
  description:
    '`silent`: offline without having said so. `gaps`: counted events have never arrived. Empty when all is well.',
});

export function troublesOf(
  { device }: { readonly device: Pick<TimelessDeviceJson, 'status' | 'counts'> },
  liveness: Liveness,
): Trouble[] {
  const troubles: Trouble[] = [];
  if (liveness === 'offline' && device.status !== 'disconnected') troubles.push('silent');
  if (device.counts.gaps > 0) troubles.push('gaps');
  return troubles;
}
