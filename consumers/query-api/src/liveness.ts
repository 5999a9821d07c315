import type { Liveness } from '@twinstream/api-contract';

/** How long a device may be silent. */
export interface LivenessThresholds {
  /** Silent for longer: stale. Milliseconds. */
  readonly staleAfterMs: number;
  /** Silent for longer: offline. Milliseconds, at least `staleAfterMs`. */
  readonly offlineAfterMs: number;
}

/** Thresholds by the label `type` of a device, and those of every other device. */
export interface LivenessPolicy {
  readonly default: LivenessThresholds;
  readonly byType: ReadonlyMap<string, LivenessThresholds>;
}

export const DEFAULT_LIVENESS_POLICY: LivenessPolicy = {
  default: { staleAfterMs: 2 * 60_000, offlineAfterMs: 15 * 60_000 },
  byType: new Map(),
};

/** Liveness of a device at a moment. A device that was never heard itself (corrections alone) is offline. */
export function livenessAt(
  policy: LivenessPolicy,
  device: { readonly type: string | undefined; readonly lastArrivalTime: number | undefined },
  timeMs: number,
): Liveness {
  if (device.lastArrivalTime === undefined) return 'offline';
  const thresholds =
    (device.type === undefined ? undefined : policy.byType.get(device.type)) ?? policy.default;
  const silentMs = timeMs - device.lastArrivalTime;
  if (silentMs > thresholds.offlineAfterMs) return 'offline';
  return silentMs > thresholds.staleAfterMs ? 'stale' : 'online';
}
