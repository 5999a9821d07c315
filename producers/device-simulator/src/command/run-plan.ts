import { NAMES } from '@twinstream/pipeline-settings';
import { CodedError } from '@twinstream/runtime';
import type { MixedAggregates } from '@twinstream/stream-producer';
import type { FaultShares } from '../faults/sending-faults.ts';
import type { FleetSettings } from '../fleet/fleet.ts';
import { DEFAULT_KIND_MIX } from '../fleet/kind-mix.ts';
import type { RecordingSettings } from '../recording/open-recording.ts';
import type { Pace } from '../recording/recording-source.ts';
import type { RowColumns } from '../recording/row.ts';
import type { LoadProfile } from '../schedule/load-profile.ts';
import { faultsOfCombination } from './combinations.ts';
import type { Settings } from './settings.ts';

/** Where events come from. */
export type SourcePlan =
  | {
      readonly kind: 'fleet';
      readonly fleet: FleetSettings;
      readonly load: LoadProfile;
      /** False when events are sent as fast as the stream takes them. */
      readonly isPaced: boolean;
    }
  | {
      readonly kind: 'recording';
      readonly recording: RecordingSettings;
      readonly order: 'time' | 'file';
      readonly pace: Pace;
    };

/** Everything a run does, decided. */
export interface RunPlan {
  readonly source: SourcePlan;
  readonly seed: number;
  readonly session: number;
  readonly faults: FaultShares;
  /** Share of events whose way is traced, 0 to 1. */
  readonly traceShare: number;
  readonly count: number | undefined;
  readonly durationMs: number | undefined;
  /** An event that could not be handed over so long after it was due is dropped; Infinity to send all. */
  readonly delayMsMax: number;
  readonly stream: string;
  readonly aggregate: boolean;
  /** The producer's treatment of mixed aggregates; its own default when undefined. */
  readonly mixedAggregates: MixedAggregates | undefined;
  /** Linger of the producer; its own default when undefined. */
  readonly lingerMs: number | undefined;
  /** How long the producer tries to send an event; its own default when undefined. */
  readonly deadlineMs: number | undefined;
}

export const DEFAULT_DEVICES = 100;
export const DEFAULT_PERIOD_MS = 10_000;
export const DEFAULT_DELAY_MS_MAX = 10_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DEFAULT_OUTAGE_EVERY_MS = 2 * HOUR_MS;
const DEFAULT_OUTAGE_LASTS_MS = 3 * MINUTE_MS;
const DEFAULT_REBOOT_EVERY_MS = 12 * HOUR_MS;
const DEFAULT_FIRMWARE_EVERY_MS = 72 * HOUR_MS;

/** The devices' time at the start of a run whose seed is given: the same seed produces the same events, whenever it runs. */
export const SEEDED_START_TIME_MS = Date.parse('2026-01-01T00:00:00.000Z');

/** What a plan takes from outside. */
export interface PlanContext {
  readonly nowMs: number;
  /** Stream that the environment names. */
  readonly stream: string | undefined;
  /** A seed for a run that was given none. */
  readonly drawSeed: () => number;
}

/** Decides everything that the settings leave open. Throws `INVALID_USAGE` naming all settings that do not go together. */
export function planRun(settings: Settings, context: PlanContext): RunPlan {
  const faults = faultsOfCombination(settings);
  if (faults.length > 0) throw new CodedError('INVALID_USAGE', faults.join('\n'));
  const seed = settings.seed ?? context.drawSeed();
  // Event times are whole milliseconds, whatever the clock can tell.
  const startTimeMs = Math.floor(startOf(settings, context.nowMs));
  const session = settings.session ?? Math.max(0, Math.floor(startTimeMs / 1_000));
  const source =
    settings.input === undefined
      ? fleetPlan(settings, { seed, startTimeMs, session })
      : recordingPlan(settings, settings.input);
  const defaultDelayMs = source.kind === 'fleet' ? DEFAULT_DELAY_MS_MAX : Number.POSITIVE_INFINITY;
  return {
    source,
    seed,
    session,
    faults: faultShares(settings),
    count: settings.count,
    durationMs: settings.duration,
    delayMsMax: settings.maxDelay ?? defaultDelayMs,
    traceShare: settings.traceRatio ?? 0,
    stream: settings.stream ?? context.stream ?? NAMES.stream,
    aggregate: settings.aggregate ?? false,
    mixedAggregates: settings.mixedAggregates,
    lingerMs: settings.linger,
    deadlineMs: settings.deadline,
  };
}

function startOf({ input, seed, startTime }: Settings, nowMs: number): number {
  if (startTime === 'now') return nowMs;
  if (startTime !== undefined) return startTime;
  return input === undefined && seed !== undefined ? SEEDED_START_TIME_MS : nowMs;
}

function fleetPlan(
  settings: Settings,
  identity: Pick<FleetSettings, 'seed' | 'startTimeMs' | 'session'>,
): SourcePlan {
  const deviceCount = settings.devices ?? DEFAULT_DEVICES;
  const perPeriod = (deviceCount * 1_000) / DEFAULT_PERIOD_MS;
  const isPaced = settings.rate !== 'max';
  const ratePerSecond = typeof settings.rate === 'number' ? settings.rate : perPeriod;
  return {
    kind: 'fleet',
    fleet: {
      ...identity,
      deviceCount,
      devicePrefix: settings.devicePrefix,
      kinds: settings.kinds ?? DEFAULT_KIND_MIX,
      skew: settings.skew ?? { kind: 'even' },
      outageEveryMs: settings.outageEvery ?? DEFAULT_OUTAGE_EVERY_MS,
      outageLastsMs: settings.outageLasts ?? DEFAULT_OUTAGE_LASTS_MS,
      rebootEveryMs: settings.rebootEvery ?? DEFAULT_REBOOT_EVERY_MS,
      firmwareEveryMs: settings.firmwareEvery ?? DEFAULT_FIRMWARE_EVERY_MS,
      clockSkewShare: settings.clockSkew ?? 0,
    },
    load: loadOf(settings, ratePerSecond),
    isPaced,
  };
}

function recordingPlan(settings: Settings, path: string): SourcePlan {
  return {
    kind: 'recording',
    recording: {
      ...{ path, columns: columnsOf(settings), offset: settings.utcOffset },
      ...(settings.raw === undefined ? {} : { rawKey: settings.raw }),
    },
    order: settings.order ?? 'file',
    pace: paceOf(settings),
  };
}

function paceOf(settings: Settings): Pace {
  if (typeof settings.rate === 'number') {
    return { kind: 'profile', profile: loadOf(settings, settings.rate) };
  }
  return typeof settings.speed === 'number' ? { kind: 'speed', factor: settings.speed } : { kind: 'max' };
}

function loadOf({ ramp, burst }: Settings, ratePerSecond: number): LoadProfile {
  return {
    ratePerSecond,
    ...(ramp === undefined ? {} : { rampMs: ramp }),
    ...(burst === undefined ? {} : { burst }),
  };
}

function columnsOf(settings: Settings): RowColumns | undefined {
  const { idColumn, timeColumn, typeColumn, sessionColumn, counterColumn } = settings;
  if (idColumn === undefined || timeColumn === undefined) return undefined;
  return {
    id: idColumn,
    time: timeColumn,
    ...(typeColumn === undefined ? {} : { type: typeColumn }),
    ...(sessionColumn === undefined || counterColumn === undefined
      ? {}
      : { session: sessionColumn, counter: counterColumn }),
  };
}

function faultShares(settings: Settings): FaultShares {
  return {
    duplicates: settings.duplicates ?? 0,
    outOfOrder: settings.outOfOrder ?? 0,
    late: settings.late ?? 0,
    drop: settings.drop ?? 0,
    malformed: settings.malformed ?? 0,
  };
}
