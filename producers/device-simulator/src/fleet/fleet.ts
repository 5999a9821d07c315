import { type DeviceEvent, deviceId, EVENT_SCHEMA_VERSION, type JsonObject } from '@twinstream/device-model';
import { clockSkewOf } from './clock-skew.ts';
import { columnsOf, DeviceStatus } from './device-columns.ts';
import type { DeviceKind } from './device-kind.ts';
import { type Draws, seededDraws } from './draws.ts';
import { isoTimes } from './iso-time.ts';
import { DEVICE_KINDS, type KindMix, kindOfDevice } from './kind-mix.ts';
import { SITES, type Site } from './site.ts';
import { type Skew, turnOrder } from './turn-order.ts';

/** Devices of one fleet at most; a million takes about 70 MB. */
export const FLEET_DEVICES_MAX = 10_000_000;

/** What a fleet is, and how its devices live. */
export interface FleetSettings {
  readonly deviceCount: number;
  /** Begins every device's name, so that no other fleet has the same devices. Default: nothing. */
  readonly devicePrefix?: string | undefined;
  readonly kinds: KindMix;
  readonly skew: Skew;
  /** Everything the fleet does follows from it. */
  readonly seed: number;
  /** The devices' time at offset 0, in milliseconds since 1970. */
  readonly startTimeMs: number;
  /** Session of a device that is switched on for the first time; each reboot and each return adds one. */
  readonly session: number;
  /** Mean time between two outages of a device, in milliseconds; Infinity for none. At most a tenth of the fleet is offline at the same time. */
  readonly outageEveryMs: number;
  /** Mean length of an outage, in milliseconds. */
  readonly outageLastsMs: number;
  /** Mean time between two reboots of a device, in milliseconds; Infinity for none. */
  readonly rebootEveryMs: number;
  /** Mean time between two firmware updates of a device, in milliseconds; Infinity for none. An update ends in a reboot. */
  readonly firmwareEveryMs: number;
  /** Share of devices whose clock is wrong, 0 to 1. */
  readonly clockSkewShare: number;
}

/** An event of a fleet, with what is wrong with its time. */
export interface FleetEvent {
  readonly event: DeviceEvent;
  /** How far the device's clock is off, in milliseconds; 0 for a right one. */
  readonly clockSkewMs: number;
}

export interface Fleet {
  /**
   * What the device whose turn it is says at `offsetMs` after the start. Offsets must not fall. There is always one to
   * speak: a device that is away passes its turn on.
   */
  next(offsetMs: number): FleetEvent;
}

/** Turns that may be passed on by the order of turns before the fleet is searched device by device. */
const PASSES_MAX = 64;
const AWAY_SHARE_MAX = 0.1;
const STREAM_OF_TURNS = 1;
const STREAM_OF_LIVES = 2;
const STREAM_OF_CLOCKS = 3;
const NUMBER_DIGITS = 6;

/**
 * A fleet of `deviceCount` devices named `<prefix><kind>-<number>`. A device first says `connected`, with its `site`, `type` and
 * `firmware`, then `reported` with the readings of its kind; a reboot, an update or the end of an outage starts a new
 * session with another `connected`. Half of the outages are announced by `disconnected`.
 *
 * The same settings and offsets produce the same events, whenever and however fast they are asked for.
 */
export function createFleet(settings: FleetSettings): Fleet {
  const { deviceCount, seed, devicePrefix = '' } = settings;
  const columns = columnsOf(deviceCount);
  const kindOf = kindOfDevice(settings.kinds);
  const turn = turnOrder(deviceCount, settings.skew, seededDraws(seed, STREAM_OF_TURNS));
  const draws = seededDraws(seed, STREAM_OF_LIVES);
  const skewOf = clockSkewOf(settings.clockSkewShare, seededDraws(seed, STREAM_OF_CLOCKS));
  const awayMax = Math.floor(deviceCount * AWAY_SHARE_MAX);
  const isoTime = isoTimes();
  let awayCount = 0;

  function isAway(device: number, offsetMs: number): boolean {
    return columns.status(device) === DeviceStatus.away && columns.awayUntilMs(device) > offsetMs;
  }

  function say(
    device: number,
    kind: DeviceKind,
    type: string,
    offsetMs: number,
    data: JsonObject,
  ): FleetEvent {
    const clockSkewMs = skewOf(device);
    columns.heard(device, offsetMs);
    const identity = {
      session: settings.session + columns.sessionsBefore(device),
      counter: columns.nextCounter(device),
    };
    const time = isoTime(settings.startTimeMs + Math.round(offsetMs) + clockSkewMs);
    const number = String(device + 1).padStart(NUMBER_DIGITS, '0');
    const id = deviceId(`${devicePrefix}${kind.name}-${number}`);
    return {
      event: { v: EVENT_SCHEMA_VERSION, deviceId: id, type, time, identity, data },
      clockSkewMs,
    };
  }

  function connect(device: number, kind: DeviceKind, site: Site, offsetMs: number): FleetEvent {
    columns.setStatus(device, DeviceStatus.connected);
    const firmware = kind.firmwares[columns.firmware(device)] ?? '';
    return say(device, kind, 'connected', offsetMs, { site: site.name, type: kind.name, firmware });
  }

  function reconnect(device: number, kind: DeviceKind, site: Site, offsetMs: number): FleetEvent {
    columns.startSession(device);
    return connect(device, kind, site, offsetMs);
  }

  function switchOn(device: number, kind: DeviceKind, site: Site, offsetMs: number): FleetEvent {
    columns.store(device, kind.fields, kind.begin(site, draws));
    columns.setFirmware(device, draws.below(Math.max(1, kind.firmwares.length - 1)));
    return connect(device, kind, site, offsetMs);
  }

  /** Undefined when the device goes away without a word. */
  function live(device: number, kind: DeviceKind, site: Site, offsetMs: number): FleetEvent | undefined {
    const elapsedMs = Math.max(0, offsetMs - columns.heardMs(device));
    const fate = fateOf(elapsedMs, settings, draws);
    if (fate === 'update' && columns.firmware(device) < kind.firmwares.length - 1) {
      columns.setFirmware(device, columns.firmware(device) + 1);
      return reconnect(device, kind, site, offsetMs);
    }
    if (fate === 'reboot') return reconnect(device, kind, site, offsetMs);
    if (fate === 'outage' && awayCount < awayMax) {
      awayCount += 1;
      columns.leave(device, offsetMs + settings.outageLastsMs * draws.between(0.3, 1.7));
      return draws.chance(0.5) ? say(device, kind, 'disconnected', offsetMs, {}) : undefined;
    }
    const state = columns.load(device, kind.fields);
    kind.advance(state, elapsedMs, site, draws);
    columns.store(device, kind.fields, state);
    return say(device, kind, 'reported', offsetMs, kind.report(state));
  }

  function speak(device: number, offsetMs: number): FleetEvent | undefined {
    const kind = at(DEVICE_KINDS, kindOf(device));
    const site = at(SITES, device % SITES.length);
    draws.startAt(device, columns.step(device));
    if (columns.status(device) === DeviceStatus.unborn) return switchOn(device, kind, site, offsetMs);
    if (columns.status(device) === DeviceStatus.connected) return live(device, kind, site, offsetMs);
    awayCount -= 1;
    return reconnect(device, kind, site, offsetMs);
  }

  return {
    next(offsetMs) {
      let device = turn();
      for (let passes = 1; ; passes += 1) {
        const said = isAway(device, offsetMs) ? undefined : speak(device, offsetMs);
        if (said !== undefined) return said;
        // Nine tenths of the fleet are present, so that the search by number ends.
        device = passes < PASSES_MAX ? turn() : (device + 1) % deviceCount;
      }
    },
  };
}

type Fate = 'report' | 'update' | 'reboot' | 'outage';

/** What happened to a device since it was last heard. The chance of rare things grows with the time, to the first order. */
function fateOf(elapsedMs: number, settings: FleetSettings, draws: Draws): Fate {
  const update = elapsedMs / settings.firmwareEveryMs;
  const reboot = update + elapsedMs / settings.rebootEveryMs;
  const outage = reboot + elapsedMs / settings.outageEveryMs;
  const draw = draws.next();
  if (draw >= outage) return 'report';
  if (draw >= reboot) return 'outage';
  return draw >= update ? 'reboot' : 'update';
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`no item ${index}`);
  return item;
}
