import { LIVENESS, type Liveness } from '@twinstream/api-contract';
import { compareVersions, type DeviceState } from '@twinstream/device-model';

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

/** What the liveness of a device follows from. */
export interface HeardDevice {
  /** Its label. */
  readonly type: string | undefined;
  /** Milliseconds since 1970. */
  readonly lastArrivalTime: number | undefined;
  /** The newest that the device said is that it disconnects. */
  readonly hasLeft: boolean;
}

/** Processing that is later than the stream by less is usual. Milliseconds. */
export const USUAL_LAG_MS = 10_000;

/**
 * Liveness of a device at a moment, as far as the pipeline can tell: silence is measured up to `processedMs`, before which every
 * arrival of the device has been stored, so that no device is called stale because its events wait. Where it is silent for too
 * long by the clock alone, and the pipeline later than usual, it is `unknown`. A device that was never heard itself
 * (corrections alone), or that has left, is offline.
 *
 * @param processedMs milliseconds since 1970; undefined where it is unknown, and the clock alone decides
 */
export function livenessAt(
  policy: LivenessPolicy,
  { type, lastArrivalTime, hasLeft }: HeardDevice,
  timeMs: number,
  processedMs: number | undefined,
): Liveness {
  if (lastArrivalTime === undefined || hasLeft) return 'offline';
  const thresholds = (type === undefined ? undefined : policy.byType.get(type)) ?? policy.default;
  const knownMs = Math.min(timeMs, processedMs ?? timeMs);
  return LIVENESS[livenessIndex(thresholds, lastArrivalTime, timeMs, knownMs)] ?? 'unknown';
}

/**
 * The index of the liveness of a device that was heard and has not left.
 *
 * @param knownMs up to when silence is measured, at most `timeMs`
 */
export function livenessIndex(
  { staleAfterMs, offlineAfterMs }: LivenessThresholds,
  lastArrivalTime: number,
  timeMs: number,
  knownMs: number,
): number {
  const silentMs = knownMs - lastArrivalTime;
  if (silentMs > offlineAfterMs) return INDEX.offline;
  if (silentMs > staleAfterMs) return INDEX.stale;
  const isLate = timeMs - knownMs > USUAL_LAG_MS;
  return isLate && timeMs - lastArrivalTime > staleAfterMs ? INDEX.unknown : INDEX.online;
}

const INDEX = {
  online: LIVENESS.indexOf('online'),
  unknown: LIVENESS.indexOf('unknown'),
  stale: LIVENESS.indexOf('stale'),
  offline: LIVENESS.indexOf('offline'),
} as const;

/** Whether the newest that a device said is that it disconnects: what it sent before, and comes later, does not count. */
export function hasLeft({ status, lastEventTime }: Pick<DeviceState, 'status' | 'lastEventTime'>): boolean {
  return (
    status.value === 'disconnected' &&
    (lastEventTime === undefined || compareVersions(status.version, lastEventTime.version) >= 0)
  );
}
