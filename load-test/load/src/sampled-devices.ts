import { createFleet, DEFAULT_KIND_MIX, type FleetSettings, type Skew } from '@twinstream/device-simulator';

/** Devices whose state is read while load runs. */
export interface SampledDevices {
  /** Devices that send more than {@link HOT_SHARE} of the events: all of them. */
  readonly hot: readonly string[];
  /** Some of the others, evenly drawn. */
  readonly others: readonly string[];
}

/** A share of all events above which a device is too important to be left to chance. */
export const HOT_SHARE = 0.01;
const HOT_MAX = 10;
/** Turns by which hot devices are found. */
const TURNS = 20_000;

export interface FleetShape {
  readonly deviceCount: number;
  readonly devicePrefix?: string;
  readonly seed: number;
  readonly skew: Skew;
}

/** Picks from the very fleet that the simulator makes of the same numbers. */
export function sampleDevices(shape: FleetShape, othersMax: number): SampledDevices {
  const hot = hotDevices(shape);
  const ids = [...deviceIds(shape)].filter((id) => !hot.includes(id));
  const step = Math.max(1, ids.length / othersMax);
  const others = Array.from(
    { length: Math.min(othersMax, ids.length) },
    (_, index) => ids[Math.floor(index * step)] ?? '',
  );
  return { hot, others };
}

function hotDevices(shape: FleetShape): readonly string[] {
  if (shape.skew.kind === 'even') return [];
  const turns = new Map<string, number>();
  const fleet = createFleet(settings(shape));
  for (let turn = 0; turn < TURNS; turn += 1) {
    const { deviceId } = fleet.next(0).event;
    turns.set(deviceId, (turns.get(deviceId) ?? 0) + 1);
  }
  return [...turns]
    .filter(([, count]) => count > HOT_SHARE * TURNS)
    .sort(([, a], [, b]) => b - a)
    .slice(0, HOT_MAX)
    .map(([id]) => id);
}

/** Every device once: an even fleet lets each speak once a round, and names do not depend on the skew. */
function deviceIds(shape: FleetShape): Set<string> {
  const fleet = createFleet(settings({ ...shape, skew: { kind: 'even' } }));
  const ids = new Set<string>();
  for (let turn = 0; turn < shape.deviceCount; turn += 1) ids.add(fleet.next(0).event.deviceId);
  return ids;
}

function settings({ deviceCount, devicePrefix, seed, skew }: FleetShape): FleetSettings {
  const never = Number.POSITIVE_INFINITY;
  return {
    deviceCount,
    devicePrefix,
    seed,
    skew,
    kinds: DEFAULT_KIND_MIX,
    startTimeMs: 0,
    session: 1,
    outageEveryMs: never,
    outageLastsMs: 0,
    rebootEveryMs: never,
    firmwareEveryMs: never,
    clockSkewShare: 0,
  };
}

/** The skew that flags of the simulator ask for. */
export function skewOf(flags: readonly string[]): Skew {
  const given = flags.indexOf('--skew');
  const text = given < 0 ? undefined : flags[given + 1];
  if (text === undefined || text === 'even') return { kind: 'even' };
  return { kind: 'zipf', exponent: Number(text.replace('zipf:', '')) };
}
