import {
  DEVICE_ID_RULE,
  type DeviceId,
  deviceIdOfPath,
  eventTimeMs,
  isDeviceId,
  isEventTime,
  storedTimeFault,
} from '@twinstream/device-model';
import { z } from 'zod';
import { LIMIT_MAX, ORDERS, TEXT_CHARACTERS_MAX } from './values.ts';

/** Text that is a whole number becomes one; anything else is left for the schema to refuse. */
const wholeNumber = (value: unknown) =>
  typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;

const LIMIT_DEFAULT = 100;
const CURSOR_CHARACTERS_MAX = 4_096;
const TIME_CHARACTERS_MAX = 40;

const limitRule = `must be a whole number from 1 to ${LIMIT_MAX}`;
export const limitParameter = z
  .preprocess(wholeNumber, z.int(limitRule).min(1, limitRule).max(LIMIT_MAX, limitRule))
  .default(LIMIT_DEFAULT)
  .meta({ description: `Most items of one answer: 1 to ${LIMIT_MAX}.` });

export const cursorParameter = z
  .string()
  .max(CURSOR_CHARACTERS_MAX, `must be at most ${CURSOR_CHARACTERS_MAX} characters`)
  .optional()
  .meta({ description: 'End of the previous answer. Opaque, and valid only with the same query.' });

const timeRule = 'must be ISO 8601 with an offset, such as 2017-03-21T05:00:31Z or 2017-03-21T00:00:31-05:00';

/** ISO 8601 with an offset. A plus sign that a query string turned into a space is put back. */
export const timeParameter = z
  .preprocess(
    (value) => (typeof value === 'string' ? value.replace(/ (?=\d{2}:?\d{2}$)/, '+') : value),
    z.string(timeRule).max(TIME_CHARACTERS_MAX, timeRule).refine(isEventTime, timeRule),
  )
  .meta({ format: 'date-time' });

/** A moment of stored history: what lies outside of what can be stored is refused. */
export const storedTimeParameter = timeParameter.superRefine((time, context) => {
  const fault = storedTimeFault(eventTimeMs(time));
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
});

/** Stands for the present. */
export const NOW = 'now';
const RELATIVE_TIME = /^now(?:-[1-9]\d{0,8}(?:ms|s|m|h|d))?$/;

/** A moment of stored history: a time, `now`, or a duration before it. */
export const momentParameter = z.union([z.string().regex(RELATIVE_TIME), storedTimeParameter], {
  error: (issue) => momentFault(issue.input),
});

function momentFault(input: unknown): string {
  const fault = storedTimeParameter.safeParse(input).error?.issues[0]?.message ?? timeRule;
  return fault === timeRule ? `${timeRule}, or ${NOW}, or ${NOW}-15m` : fault;
}

export const orderParameter = (what: string, ascendingByDefault: boolean) =>
  z
    .enum(ORDERS, 'must be asc or desc')
    .default(ascendingByDefault ? 'asc' : 'desc')
    .meta({ description: what });

const textRule = `must be 1-${TEXT_CHARACTERS_MAX} characters`;
const textSchema = z.string(textRule).min(1, textRule).max(TEXT_CHARACTERS_MAX, textRule);

export const textParameter = (description: string) => textSchema.optional().meta({ description });

export const attributeParameter = textSchema.meta({ description: 'Name of the attribute.' });

/** One of a set of names. A refusal lists them. */
export const choiceParameter = <const Names extends readonly string[]>(names: Names) =>
  z.enum(names, `must be one of ${names.join(', ')}`);

export const deviceIdParameter = z
  .preprocess(
    (segment) => (typeof segment === 'string' ? deviceIdOfPath(segment) : segment),
    z.custom<DeviceId>(isDeviceId, `must be ${DEVICE_ID_RULE}`),
  )
  .meta({
    type: 'string',
    pattern: '^[^/]+$',
    description:
      'The device, percent-encoded. In its id, `~` is written `~0`, and `/` is written `~1`; the ids `.` and `..`, which no path can hold, are `~.` and `~..`.',
  });

const IDS_MAX = 100;
const idsRule = `must be up to ${IDS_MAX} device ids with commas between`;

/** Ids as in a path, but percent-decoded, and with `~2` for a comma. */
export const deviceIdsParameter = z
  .string(idsRule)
  .min(1, idsRule)
  .transform((text, context): readonly DeviceId[] => {
    const ids = text.split(',').map((id) => deviceIdOfPath(id.replaceAll('~2', ',')));
    if (ids.length <= IDS_MAX && ids.every(isDeviceId)) return ids;
    context.addIssue({ code: 'custom', message: idsRule });
    return z.NEVER;
  })
  .optional()
  .meta({
    type: 'string',
    pattern: `^[!-+\\--~\\u00a1-\\uffff]+(?:,[!-+\\--~\\u00a1-\\uffff]+){0,${IDS_MAX - 1}}$`,
    description: `Devices by their ids, up to ${IDS_MAX}, with commas between; in an id, \`~\` is written \`~0\`, \`/\` is written \`~1\`, and a comma \`~2\`. Unknown ones are left out.`,
  });

const DURATION = /^[1-9]\d{0,8}(?:ms|s|m|h|d)$/;
const durationRule = 'must be a duration such as 30s, 5m or 1h';

/** Text that is a duration of whole units. */
export const durationParameter = (description: string, standard: string) =>
  z.string(durationRule).regex(DURATION, durationRule).default(standard).meta({ description });

const HEADER_CHARACTERS_MAX = 8_192;

export const headerText = (description: string) =>
  z
    .string()
    .max(HEADER_CHARACTERS_MAX, `must be at most ${HEADER_CHARACTERS_MAX} characters`)
    .optional()
    .meta({ description });

/** Tags by which a caller says what it has. */
export const IF_NONE_MATCH = z.object({
  'if-none-match': headerText('Tags of answers that the caller has.'),
});

/** `true` or `false`. */
export const flagParameter = (description: string) =>
  z
    .preprocess(
      (value) => (value === 'true' ? true : value === 'false' ? false : value),
      z.boolean('must be true or false'),
    )
    .optional()
    .meta({ description });
