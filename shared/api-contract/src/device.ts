import { z } from 'zod';
import { jsonValueSchema } from './json-value.ts';
import { BASES, CONNECTION_STATUSES, LIVENESS, TROUBLES } from './values.ts';

export const positionSchema = z
  .object({
    shardId: z.string(),
    sequenceNumber: z
      .string()
      .meta({ description: 'Decimal, up to 129 digits. Comparable within one shard only.' }),
    subSequenceNumber: z
      .int()
      .min(0)
      .meta({ description: 'Index inside an aggregated record; 0 in a plain one.' }),
  })
  .meta({ id: 'Position', description: 'Place of one event in the stream.' });
export type PositionJson = z.infer<typeof positionSchema>;

export const livenessSchema = z.enum(LIVENESS).meta({
  id: 'Liveness',
  description:
    'Inferred from the arrival time of what the device sent last, by thresholds per device type, and measured against how far its shard has been processed: `unknown` while the pipeline lags and the device may have been heard meanwhile. A device whose newest event says that it disconnects is `offline`. `status` is what the device said.',
});

const countSchema = z.int();

export const deviceSchema = z
  .object({
    deviceId: z.string(),
    status: z.enum(CONNECTION_STATUSES).meta({ description: 'Connection status that the device reported.' }),
    liveness: livenessSchema,
    attributes: z.record(z.string(), z.json()).meta({
      description:
        'Values by name; removed attributes are absent. A number that a double does not hold to the last digit is the text of its digits.',
    }),
    attributesFloor: z.string().optional().meta({
      description:
        'Present where the names of the device had become too many: attributes whose newest version (session.counter) is at or below it are not kept, and are in the history alone.',
    }),
    labels: z
      .object({ site: z.string(), type: z.string(), firmware: z.string() })
      .partial()
      .meta({ description: 'Copied from the attributes of the same names.' }),
    version: z
      .object({ session: z.int(), counter: z.int() })
      .nullable()
      .meta({ description: 'The newest counted event; null while the device never sent one.' }),
    position: positionSchema.nullable().meta({ description: 'Position of the event accepted last.' }),
    counts: z
      .object({ events: countSchema, duplicates: countSchema, late: countSchema, gaps: countSchema })
      .meta({
        description: 'Events stored (late ones among them), duplicates dropped, counters still missing.',
      }),
    lastEventTime: z
      .string()
      .nullable()
      .meta({ description: 'Device time of the newest event, as the device wrote it.' }),
    lastArrivalTime: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'Last arrival of an event of the device in the stream, UTC.' }),
    retired: z.literal(true).optional().meta({
      description:
        'Present where an operator has retired the device and no event of it has been stored since. Not in past states.',
    }),
    acknowledged: z.array(z.enum(TROUBLES)).optional().meta({
      description:
        'Troubles of the device that an operator has acknowledged; absent where there is none. Not in past states.',
    }),
    gapsAgedOut: z.literal(true).optional().meta({
      description: 'Present where all gaps are older than the setting by which they cease to be trouble.',
    }),
  })
  .meta({
    id: 'Device',
    description:
      'State of one device: the fold of everything accepted of it, and what operators said of it, as far as it holds.',
  });
export type DeviceJson = z.infer<typeof deviceSchema>;

/** A device of which `fields` selected some members. */
export const selectedDeviceSchema = deviceSchema.partial().required({ deviceId: true });
export type SelectedDevice = z.infer<typeof selectedDeviceSchema>;

export const acknowledgementSchema = z
  .object({
    by: z.string().meta({ description: 'Who acknowledged it.' }),
    time: z.iso.datetime().meta({ description: 'When.' }),
    note: z.string(),
  })
  .meta({ id: 'Acknowledgement' });
export type AcknowledgementJson = z.infer<typeof acknowledgementSchema>;

export const retirementSchema = z
  .object({ by: z.string(), time: z.iso.datetime(), reason: z.string() })
  .meta({ id: 'Retirement', description: 'Who retired the device, when and why.' });
export type RetirementJson = z.infer<typeof retirementSchema>;

const troubleSchema = z
  .object({
    trouble: z.enum(TROUBLES).meta({
      description: '`silent`: offline without having said so. `gaps`: counted events have not arrived.',
    }),
    cause: z.string().meta({ description: 'One sentence for people.' }),
    since: z.iso.datetime().nullable().meta({
      description:
        'When it began: when a silent device was last heard; when the first event after the oldest gap arrived, which only the answer of one device looks for, among its last events. Null where that is unknown.',
    }),
    acknowledgement: acknowledgementSchema.nullable().meta({
      description:
        'Null until an operator acknowledges it. It ends when the device is heard again (`silent`), or when another gap opens (`gaps`).',
    }),
  })
  .meta({ id: 'Trouble' });
export type TroubleJson = z.infer<typeof troubleSchema>;

export const troublesSchema = z
  .array(troubleSchema)
  .meta({ description: 'Why the device needs attention. Empty when all is well.' });

export const processedTimeSchema = z.iso.datetime().nullable().meta({
  description:
    'Whatever had arrived in the shards of the device before then is in this answer; null while that is unknown. Liveness is measured up to it.',
});

/** Events, the newest first, in which the writers of attributes are looked for. */
export const LOOK_BACK_EVENTS = 500;

const attributeVersionSchema = z.object({
  session: z.int(),
  counter: z.int(),
  ordinal: z.int().meta({ description: '0 for a counted event; k for the k-th uncounted event after it.' }),
  revision: z.int().meta({ description: '0 for an event of the device; from 1 for its corrections.' }),
  removed: z.literal(true).optional().meta({ description: 'The attribute was removed by this version.' }),
  time: z.string().optional().meta({ description: 'Of the event that wrote it, by the device’s clock.' }),
  arrivalTime: z.iso
    .datetime()
    .optional()
    .meta({
      description: `Of the event that wrote it, where that is among the last ${LOOK_BACK_EVENTS} stored, or among fewer where these are large.`,
    }),
});
export type AttributeVersion = z.infer<typeof attributeVersionSchema>;

export const attributeVersionsSchema = z
  .record(z.string(), attributeVersionSchema)
  .meta({ description: 'By attribute name, which event wrote it. Present where `fields` asks for it.' });
export type AttributeVersions = z.infer<typeof attributeVersionsSchema>;

const changedValueSchema = z
  .object({ before: jsonValueSchema.optional(), after: jsonValueSchema.optional() })
  .meta({ description: 'A value is absent where the attribute was not set.' });
export type ChangedValue = z.infer<typeof changedValueSchema>;

export const deviceChangesSchema = z
  .object({
    from: z.iso.datetime().nullable().meta({ description: 'The earlier time; null before the first event.' }),
    to: z.iso.datetime().meta({ description: 'The later time.' }),
    attributes: z.record(z.string(), changedValueSchema).meta({ description: 'Those that differ.' }),
    status: z.object({ before: z.enum(CONNECTION_STATUSES), after: z.enum(CONNECTION_STATUSES) }).optional(),
    events: z.int().meta({ description: 'Events accepted in between.' }),
  })
  .meta({ id: 'DeviceChanges', description: 'Differences of a device between two times.' });
export type DeviceChanges = z.infer<typeof deviceChangesSchema>;

/** Members that a device of a list has only where `fields` asks for them. */
const LIST_EXTRAS = {
  troubles: troublesSchema.optional(),
  retirement: retirementSchema.nullable().optional(),
  processedTime: processedTimeSchema.optional(),
};

/** Members that a device has only where `fields` or `diff` ask for them. */
const EXTRAS = {
  ...LIST_EXTRAS,
  attributeVersions: attributeVersionsSchema.optional(),
  changes: deviceChangesSchema.optional(),
};

const wholeDeviceSchema = deviceSchema.extend(EXTRAS);
/** A device with all of its members, and those that were asked for besides. */
export type WholeDevice = z.infer<typeof wholeDeviceSchema>;

export const deviceAnswerSchema = z.union([wholeDeviceSchema, selectedDeviceSchema.extend(EXTRAS)]);
export type DeviceAnswer = z.infer<typeof deviceAnswerSchema>;

const listedDeviceSchema = z.union([
  deviceSchema.extend(LIST_EXTRAS),
  selectedDeviceSchema.extend(LIST_EXTRAS),
]);
export type ListedDevice = z.infer<typeof listedDeviceSchema>;

const pastReadsSchema = z
  .object({
    at: z.iso.datetime().meta({ description: 'The moment.' }),
    basis: z.enum(BASES),
    devicesRead: z.int().meta({ description: 'Devices whose histories were read for this page.' }),
    reads: z
      .int()
      .meta({ description: 'Reads of the event store for this page: requests, and pages of events.' }),
  })
  .meta({ description: 'With `at`: what the page is of, and what it took.' });

export const deviceListSchema = z.object({
  devices: z.array(listedDeviceSchema),
  cursor: z.string().optional(),
  total: z.int().meta({
    description: 'Number of devices that match the filter; with `at`, of those that are looked at.',
  }),
  past: pastReadsSchema.optional(),
  asOf: z.iso.datetime().meta({ description: 'The answer includes everything processed before this time.' }),
  lastEventId: z.string().meta({
    description: 'Parameter with which `/v1/updates` continues after this answer.',
  }),
});
export type DeviceList = z.infer<typeof deviceListSchema>;
/** The list where `fields` is not given. */
export type WholeDeviceList = Omit<DeviceList, 'devices'> & { readonly devices: readonly DeviceJson[] };
