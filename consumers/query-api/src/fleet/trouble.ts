import type { Liveness } from '../liveness.ts';
import type { FleetRow } from './fleet-row.ts';

/**
 * Why a device needs somebody's attention. `silent`: it went offline without having said so. `gaps`: events that it
 * counted have never arrived.
 */
export const TROUBLES = ['silent', 'gaps'] as const;
export type Trouble = (typeof TROUBLES)[number];

export function troublesOf({ device }: Pick<FleetRow, 'device'>, liveness: Liveness): Trouble[] {
  const troubles: Trouble[] = [];
  if (liveness === 'offline' && device.status !== 'disconnected') troubles.push('silent');
  if (device.counts.gaps > 0) troubles.push('gaps');
  return troubles;
}
