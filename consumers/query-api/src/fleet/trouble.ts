import type { Liveness, Trouble, TroubleFilter, TroubleJson } from '@twinstream/api-contract';
import type { TimelessDeviceJson } from '../device-json.ts';
import type { OpenGaps } from '../open-gaps.ts';

type TroubledDevice = Pick<TimelessDeviceJson, 'status' | 'counts' | 'lastArrivalTime'>;

export function meetsTroubleFilter(troubles: readonly Trouble[], filter: TroubleFilter): boolean {
  if (filter === 'any') return troubles.length > 0;
  return filter === 'none' ? troubles.length === 0 : troubles.includes(filter);
}

export function troublesOf(
  { device }: { readonly device: Pick<TroubledDevice, 'status' | 'counts'> },
  liveness: Liveness,
): Trouble[] {
  const troubles: Trouble[] = [];
  if (isSilent(device.status, liveness)) troubles.push('silent');
  if (device.counts.gaps > 0) troubles.push('gaps');
  return troubles;
}

/** Offline without having said so. */
export function isSilent(status: TroubledDevice['status'], liveness: Liveness): boolean {
  return liveness === 'offline' && status !== 'disconnected';
}

/** The troubles of a device with their causes. `gaps`: what is known of its gaps, where that was looked for. */
export function troublesJson(device: TroubledDevice, liveness: Liveness, gaps?: OpenGaps): TroubleJson[] {
  return troublesOf({ device }, liveness).map((trouble) =>
    trouble === 'silent'
      ? { trouble, cause: silentCause(device), since: device.lastArrivalTime }
      : { trouble, cause: gapsCause(device, gaps), since: gaps?.since ?? null },
  );
}

function silentCause({ lastArrivalTime }: TroubledDevice): string {
  return lastArrivalTime === null
    ? 'nothing has arrived from the device itself'
    : 'nothing has arrived since, and no disconnect message before';
}

function gapsCause({ counts: { gaps: count } }: TroubledDevice, gaps: OpenGaps | undefined): string {
  const what = gaps === undefined ? `${count} counted ${count === 1 ? 'event' : 'events'}` : gaps.text;
  return `not arrived, though later events have: ${what}`;
}
