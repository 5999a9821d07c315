import type { Liveness, Trouble, TroubleFilter } from '@twinstream/api-contract';
import type { TimelessDeviceJson } from '../device-json.ts';

export function meetsTroubleFilter(troubles: readonly Trouble[], filter: TroubleFilter): boolean {
  if (filter === 'any') return troubles.length > 0;
  return filter === 'none' ? troubles.length === 0 : troubles.includes(filter);
}

export function troublesOf(
  { device }: { readonly device: Pick<TimelessDeviceJson, 'status' | 'counts'> },
  liveness: Liveness,
): Trouble[] {
  const troubles: Trouble[] = [];
  if (liveness === 'offline' && device.status !== 'disconnected') troubles.push('silent');
  if (device.counts.gaps > 0) troubles.push('gaps');
  return troubles;
}
