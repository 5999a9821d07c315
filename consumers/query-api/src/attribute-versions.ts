import { compareVersions, type DeviceState, type EventVersion } from '@twinstream/device-model';
import { type EventStore, readHistory } from '@twinstream/event-store';
import { z } from 'zod';
import { isoTime } from './device-json.ts';

/** Events, the newest first, in which the writers of attributes are looked for. */
const LOOK_BACK_EVENTS = 500;

const attributeVersionSchema = z.object({
  session: z.int(),
  counter: z.int(),
  ordinal: z.int().meta({ description: '0 for a counted event; k for the k-th uncounted one behind it.' }),
  revision: z.int().meta({ description: '0 for what the device said; from 1 for corrections of it.' }),
  removed: z.literal(true).optional().meta({ description: 'The attribute was removed by this version.' }),
  time: z.string().optional().meta({ description: 'Of the event that wrote it, by the device’s clock.' }),
  arrivalTime: z.iso
    .datetime()
    .optional()
    .meta({
      description: `Of the event that wrote it, where that is among the last ${LOOK_BACK_EVENTS} stored, or among fewer where these are large.`,
    }),
});

export const attributeVersionsSchema = z
  .record(z.string(), attributeVersionSchema)
  .meta({ description: 'By attribute name, which event wrote it. Present where `fields` asks for it.' });
export type AttributeVersions = z.infer<typeof attributeVersionsSchema>;

/**
 * Which event wrote each attribute of a state, and when, as far as the newest events tell: those that had arrived before
 * each of these times (milliseconds since 1970), or up to now where one is undefined.
 */
export async function attributeVersions(
  store: EventStore,
  state: DeviceState,
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
