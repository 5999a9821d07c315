import { FIELDS_MAX } from './device-kind.ts';

/** Where a device is in its life. */
export const DeviceStatus = { unborn: 0, connected: 1, away: 2 } as const;

/** What a fleet remembers of its devices: about 70 bytes each, in typed arrays. Devices are numbered from 0. */
export interface DeviceColumns {
  status(device: number): number;
  setStatus(device: number, status: number): void;
  awayUntilMs(device: number): number;
  leave(device: number, untilMs: number): void;
  heardMs(device: number): number;
  heard(device: number, offsetMs: number): void;
  firmware(device: number): number;
  setFirmware(device: number, firmware: number): void;
  /** Sessions that have ended. */
  sessionsBefore(device: number): number;
  /** Ends the session: the counter begins at 1 again. */
  startSession(device: number): void;
  /** Takes the next counter of the session. */
  nextCounter(device: number): number;
  /** A number that differs from event to event of the device. */
  step(device: number): number;
  /** The numbers of one device, valid until the next call. */
  load<Field extends string>(device: number, fields: readonly Field[]): Record<Field, number>;
  store<Field extends string>(
    device: number,
    fields: readonly Field[],
    state: Readonly<Record<Field, number>>,
  ): void;
}

export function columnsOf(deviceCount: number): DeviceColumns {
  const numbers = new Float64Array(deviceCount * FIELDS_MAX);
  const awayUntilMs = new Float64Array(deviceCount);
  const heardMs = new Float64Array(deviceCount);
  const sessions = new Uint32Array(deviceCount);
  const counters = new Uint32Array(deviceCount);
  const firmwares = new Uint8Array(deviceCount);
  const statuses = new Uint8Array(deviceCount);
  const scratch = new Map<readonly string[], Record<string, number>>();

  return {
    status: (device) => statuses[device] ?? 0,
    setStatus(device, status) {
      statuses[device] = status;
    },
    awayUntilMs: (device) => awayUntilMs[device] ?? 0,
    leave(device, untilMs) {
      statuses[device] = DeviceStatus.away;
      awayUntilMs[device] = untilMs;
    },
    heardMs: (device) => heardMs[device] ?? 0,
    heard(device, offsetMs) {
      heardMs[device] = offsetMs;
    },
    firmware: (device) => firmwares[device] ?? 0,
    setFirmware(device, firmware) {
      firmwares[device] = firmware;
    },
    sessionsBefore: (device) => sessions[device] ?? 0,
    startSession(device) {
      sessions[device] = (sessions[device] ?? 0) + 1;
      counters[device] = 0;
    },
    nextCounter(device) {
      const counter = (counters[device] ?? 0) + 1;
      counters[device] = counter;
      return counter;
    },
    step: (device) => (sessions[device] ?? 0) * 1_000_003 + (counters[device] ?? 0),
    load(device, fields) {
      const state = scratch.get(fields) ?? {};
      scratch.set(fields, state);
      let index = device * FIELDS_MAX;
      for (const field of fields) {
        state[field] = numbers[index] ?? 0;
        index += 1;
      }
      return state as Record<(typeof fields)[number], number>;
    },
    store(device, fields, state) {
      let index = device * FIELDS_MAX;
      for (const field of fields) {
        numbers[index] = state[field];
        index += 1;
      }
    },
  };
}
