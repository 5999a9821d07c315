import { type EventSource, lineBytes, type PlannedEvent } from '../../src/sending/planned-event.ts';

/** A planned event of a device, told apart by its counter. */
export function planned(deviceId: string, counter: number, more: Partial<PlannedEvent> = {}): PlannedEvent {
  const time = '2026-01-01T00:00:00.000Z';
  const head = `{"v":1,"deviceId":"${deviceId}","type":"reported","time":"${time}"`;
  return {
    deviceId,
    type: 'reported',
    time,
    session: 1,
    counter,
    bytes: lineBytes(`${head},"session":1,"counter":${counter},"data":{"n":${counter}}}`),
    dueMs: undefined,
    ...more,
  };
}

/** The event of a plan as JSON. */
export const textOf = ({ bytes }: PlannedEvent): string => Buffer.from(bytes).toString().trimEnd();

export interface ListedSource extends EventSource {
  readonly isClosed: () => boolean;
}

/** A source of given events; `isAsync` gives each through a promise. */
export function listedSource(events: readonly PlannedEvent[], isAsync = false): ListedSource {
  let at = 0;
  let isClosed = false;
  return {
    next() {
      const event = events[at];
      at += 1;
      return isAsync ? Promise.resolve(event) : event;
    },
    close: async () => {
      isClosed = true;
    },
    isClosed: () => isClosed,
  };
}

export async function all(source: EventSource): Promise<readonly PlannedEvent[]> {
  const events: PlannedEvent[] = [];
  for (let event = await source.next(); event !== undefined; event = await source.next()) events.push(event);
  return events;
}
