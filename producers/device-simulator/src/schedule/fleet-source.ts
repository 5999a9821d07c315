import type { DeviceEvent } from '@twinstream/device-model';
import type { Fleet } from '../fleet/fleet.ts';
import { type EventSource, lineBytes } from '../sending/planned-event.ts';
import { dueTimes, type LoadProfile } from './load-profile.ts';

/**
 * The events of a fleet under a load, without end. Each device's clock shows when its event is due, not when it is sent.
 * `isPaced` false sends them as fast as the stream takes them; their times still follow the load.
 */
export function fleetSource(fleet: Fleet, load: LoadProfile, isPaced: boolean): EventSource {
  const nextDueMs = dueTimes(load);
  return {
    next() {
      const offsetMs = nextDueMs();
      const { event, clockSkewMs } = fleet.next(offsetMs);
      const planned = {
        deviceId: event.deviceId,
        type: event.type,
        time: event.time,
        session: event.identity?.session,
        counter: event.identity?.counter,
        bytes: lineBytes(textOf(event)),
        dueMs: isPaced ? offsetMs : undefined,
      };
      return clockSkewMs === 0 ? planned : { ...planned, clockSkewMs };
    },
    close: async () => undefined,
  };
}

/**
 * The text that `eventText` of the device model returns, for events of a fleet: their names and times need no escapes, and
 * they carry no correction. It takes half the time.
 */
export function textOf({ v, deviceId, type, time, identity, data }: DeviceEvent): string {
  const counted =
    identity === undefined ? '' : `"session":${identity.session},"counter":${identity.counter},`;
  return `{"v":${v},"deviceId":"${deviceId}","type":"${type}","time":"${time}",${counted}"data":${JSON.stringify(data)}}`;
}
