import { REJECTION_REASONS } from '@twinstream/device-model';
import { z } from 'zod';
import { reasonOrActor } from './device-operations.ts';
import { NO_PARAMETERS, operation } from './operation.ts';
import { cursorParameter, limitParameter, momentParameter, textParameter } from './parameters.ts';
import { REDRIVE_OUTCOMES } from './values.ts';

/** Bytes of one entry that an answer holds. */
export const PAYLOAD_BYTES_MAX = 256 * 1024;

const entrySchema = z.object({
  subSequenceNumber: z
    .int()
    .min(0)
    .meta({ description: 'Index inside an aggregated record; 0 in a plain one.' }),
  reason: z.string().meta({ description: 'Reason of rejection.' }),
  detail: z.string().meta({ description: 'The fault in a sentence, without the payload.' }),
  partitionKey: z.string().meta({ description: 'Usually the id of the device.' }),
  bytes: z.int().min(0).meta({ description: 'Size of the payload.' }),
});

const recordMembers = {
  recordId: z.string().meta({ description: 'Name of the record in this API.' }),
  shardId: z.string(),
  sequenceNumber: z.string(),
  arrivalTime: z.iso.datetime(),
  partitionKey: z.string(),
};

const quarantinedRecordSchema = z
  .object({ ...recordMembers, entries: z.array(entrySchema) })
  .meta({ id: 'QuarantinedRecord', description: 'A record of which at least one entry is invalid.' });
export type QuarantinedRecordJson = z.infer<typeof quarantinedRecordSchema>;

const quarantineListSchema = z.object({
  records: z.array(quarantinedRecordSchema),
  cursor: z.string().optional(),
});
export type QuarantineList = z.infer<typeof quarantineListSchema>;

const payloadEntrySchema = entrySchema.extend({
  base64: z.string().meta({ description: `The payload, up to ${PAYLOAD_BYTES_MAX} bytes of it.` }),
});
const quarantinedPayloadSchema = z.object({ ...recordMembers, entries: z.array(payloadEntrySchema) }).meta({
  id: 'QuarantinedPayload',
  description: 'A record in quarantine with the bytes of its invalid entries.',
});
export type QuarantinedPayload = z.infer<typeof quarantinedPayloadSchema>;

const RECORD_ID = /^\d{4}-\d{2}-\d{2}T\d{2}:[A-Za-z0-9_.-]+:\d{1,128}:\d{1,9}$/;
const idRule = 'must be a recordId of the list of quarantined records';
const recordParams = z.strictObject({
  recordId: z
    .string(idRule)
    .regex(RECORD_ID, idRule)
    .meta({ description: 'The record, as the list names it.' }),
});

export const listQuarantine = operation({
  method: 'get',
  path: '/v1/quarantine',
  operationId: 'listQuarantine',
  summary: 'Records in quarantine',
  description:
    'The dead-letter store for invalid records, by rising hour of arrival, without payloads. A page may hold fewer records than the limit, or none, and still have a cursor: every answer reads a bounded number of objects.',
  scope: 'read',
  params: NO_PARAMETERS,
  query: z.strictObject({
    rejection: z
      .enum(REJECTION_REASONS, `must be one of ${REJECTION_REASONS.join(', ')}`)
      .optional()
      .meta({ description: 'Records with an entry that was rejected for this reason.' }),
    partitionKey: textParameter('Records with an entry of this partition key, usually the id of a device.'),
    from: momentParameter.optional().meta({ description: 'Records that arrived then or later.' }),
    to: momentParameter.optional().meta({ description: 'Records that arrived before then.' }),
    limit: limitParameter,
    cursor: cursorParameter,
  }),
  answers: { 200: { description: 'A page of records.', schema: quarantineListSchema } },
  problems: ['BAD_CURSOR'],
});

export const getQuarantined = operation({
  method: 'get',
  path: '/v1/quarantine/{recordId}',
  operationId: 'getQuarantined',
  summary: 'One record in quarantine, with payload',
  scope: 'read',
  params: recordParams,
  query: NO_PARAMETERS,
  answers: { 200: { description: 'The record.', schema: quarantinedPayloadSchema } },
  problems: ['NOT_IN_QUARANTINE'],
});

const repairedEntries = z
  .array(
    z.strictObject({
      subSequenceNumber: z.int('must be a whole number from 0').min(0, 'must be a whole number from 0'),
      text: z.string('must be a text').meta({ description: 'The repaired entry, in place of its payload.' }),
    }),
  )
  .optional()
  .meta({
    description:
      'Repaired entries; others stay in quarantine. Absent: all entries as they are, for what the projector can read by now.',
  });
const who = {
  reason: reasonOrActor('a reason of 1-1024 characters'),
  actor: reasonOrActor('who acts, in 1-1024 characters').optional().meta({
    description: 'Who acts. Required if the API does not authenticate callers; otherwise the caller is used.',
  }),
};

const redriveAnswerSchema = z.object({
  recordId: z.string(),
  results: z.array(
    z.object({
      subSequenceNumber: z.int().min(0),
      deviceId: z.string().nullable(),
      outcome: z.enum(REDRIVE_OUTCOMES),
      detail: z.string(),
    }),
  ),
  isResolved: z.boolean().meta({ description: 'True where the record has left quarantine.' }),
});
export type RedriveAnswer = z.infer<typeof redriveAnswerSchema>;
const REDRIVE_PROBLEMS = [
  'BAD_BODY',
  'NOT_IN_QUARANTINE',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
] as const;

export const previewRedrive = operation({
  method: 'post',
  path: '/v1/quarantine/{recordId}/redrive-preview',
  operationId: 'previewRedrive',
  summary: 'What a redrive of a record would store',
  scope: 'read',
  params: recordParams,
  query: NO_PARAMETERS,
  body: z.strictObject({ entries: repairedEntries }).meta({ id: 'RedrivePreview' }),
  answers: { 200: { description: 'The outcome that each entry would have.', schema: redriveAnswerSchema } },
  problems: REDRIVE_PROBLEMS,
});

export const redriveRecord = operation({
  method: 'post',
  path: '/v1/quarantine/{recordId}/redrive',
  operationId: 'redriveRecord',
  summary: 'Store the repaired events of a record',
  description:
    'Appends them to the tables in use, marked repaired, with the place and arrival of the record. It leaves quarantine when nothing of it is left to do. Repeating the request stores nothing twice.',
  scope: 'write',
  params: recordParams,
  query: NO_PARAMETERS,
  body: z.strictObject({ entries: repairedEntries, ...who }).meta({ id: 'Redrive' }),
  answers: { 200: { description: 'The outcome of each entry.', schema: redriveAnswerSchema } },
  problems: REDRIVE_PROBLEMS,
});

const discardedSchema = z.object({ recordId: z.string(), discarded: z.literal(true) });
export type Discarded = z.infer<typeof discardedSchema>;

export const discardRecord = operation({
  method: 'post',
  path: '/v1/quarantine/{recordId}/discard',
  operationId: 'discardRecord',
  summary: 'Take a record out of quarantine',
  description: 'It is kept below `quarantine-resolved/` with the reason and the actor.',
  scope: 'write',
  params: recordParams,
  query: NO_PARAMETERS,
  body: z.strictObject(who).meta({ id: 'Discard' }),
  answers: { 200: { description: 'The record has left quarantine.', schema: discardedSchema } },
  problems: REDRIVE_PROBLEMS,
});
