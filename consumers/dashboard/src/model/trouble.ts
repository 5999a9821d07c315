import type { DeviceJson, Trouble } from '@twinstream/api-contract';

type Troubled = Pick<DeviceJson, 'status' | 'liveness' | 'counts' | 'acknowledged' | 'gapsAgedOut'>;

function kindsOf({ liveness, status, counts, gapsAgedOut }: Troubled): readonly Trouble[] {
  return [
    ...(liveness === 'offline' && status !== 'disconnected' ? (['silent'] as const) : []),
    ...(counts.gaps > 0 && gapsAgedOut !== true ? (['gaps'] as const) : []),
  ];
}

/** Why a device needs a look, in words; empty where it does not. The API filters and counts by the same rule. */
export function troublesOf(device: Troubled): readonly string[] {
  return kindsOf(device).map((trouble) => {
    const known = device.acknowledged?.includes(trouble) === true ? ', acknowledged' : '';
    if (trouble === 'silent') return `silent: offline without a disconnect message${known}`;
    const { gaps } = device.counts;
    return `${gaps} ${gaps === 1 ? 'event has' : 'events have'} never arrived${known}`;
  });
}

/** Troubles that nobody has acknowledged. */
export function openTroublesOf(device: Troubled): readonly Trouble[] {
  return kindsOf(device).filter((trouble) => device.acknowledged?.includes(trouble) !== true);
}
