import { type AttributeVersions, LOOK_BACK_EVENTS } from '@twinstream/api-contract';
import { compareVersions, type EventVersion } from '@twinstream/device-model';
import { type DescribedState, type EventStore, readHistory } from '@twinstream/event-store';
import { isoTime } from './device-json.ts';

/**
 * Which event wrote each attribute of a state, and when, as far as the newest events tell: those that had arrived before
 * each of these times (milliseconds since 1970), or up to now where one is undefined.
 */
export async function attributeVersions(
  store: EventStore,
  state: DescribedState,
  befores: readonly (number | undefined)[],
  signal?: AbortSignal,
): Promise<AttributeVersions> {
  const answers = await Promise.all(
    befores.map((before) =>
      readHistory(store, {
        deviceId: state.deviceId,
        order: 'descending',
        limit: LOOK_BACK_EVENTS,
        ...(before === undefined ? {} : { to: before }),
        signal,
      }),
    ),
  );
  const events = answers.flatMap((answer) => answer.events);
  const writerOf = (version: EventVersion) =>
    events.find((stored) => compareVersions(stored.version, version) === 0);
  return Object.fromEntries(
    [...state.attributes].map(([name, { value, version }]) => {
      const { session, counter, ordinal, revision } = version;
      const writer = writerOf(version);
      const written = {
        session,
        counter,
        ordinal,
        revision,
        ...(value === undefined ? { removed: true as const } : {}),
        ...(writer === undefined
          ? {}
          : { time: writer.event.time, arrivalTime: isoTime(writer.arrivalTime) }),
      };
      return [name, written];
    }),
  );
}
