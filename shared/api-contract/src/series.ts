import { z } from 'zod';
import { operation } from './operation.ts';
import {
  attributeParameter,
  choiceParameter,
  deviceIdParameter,
  durationParameter,
  momentParameter,
} from './parameters.ts';
import { BASES } from './values.ts';

export const AGGREGATES = ['average', 'min', 'max', 'sum', 'count', 'first', 'last'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/** Buckets of one answer, empty ones among them. */
export const SERIES_BUCKETS_MAX = 1_000;

const bucketSchema = z.object({
  time: z.iso.datetime().meta({ description: 'When the bucket begins.' }),
  value: z.number(),
  count: z.int().min(1).meta({ description: 'Values in the bucket.' }),
});
export type SeriesBucket = z.infer<typeof bucketSchema>;

const gapSchema = z.object({ from: z.iso.datetime(), to: z.iso.datetime() });
export type SeriesGap = z.infer<typeof gapSchema>;

const seriesSchema = z
  .object({
    deviceId: z.string(),
    attribute: z.string(),
    aggregate: z.enum(AGGREGATES),
    basis: z.enum(BASES),
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    intervalMs: z.int().min(1),
    buckets: z.array(bucketSchema).meta({ description: 'Those that hold a value, by rising time.' }),
    gaps: z.array(gapSchema).meta({ description: 'Stretches of buckets without a value.' }),
    isComplete: z.boolean().meta({
      description:
        'False where more events are stored than one answer reads: the last buckets may lack some.',
    }),
  })
  .meta({ id: 'Series' });
export type SeriesAnswer = z.infer<typeof seriesSchema>;

export const getDeviceSeries = operation({
  method: 'get',
  path: '/v1/devices/{deviceId}/series',
  operationId: 'getDeviceSeries',
  summary: 'Numbers of one attribute over time',
  description:
    'Read from the history, in buckets. A correction takes the place of what it corrects, at the time of that event; what is not a number is left out. A number that is held as the text of its digits counts as the nearest double.',
  scope: 'read',
  params: z.strictObject({ deviceId: deviceIdParameter }),
  query: z.strictObject({
    attribute: attributeParameter,
    from: momentParameter.meta({ description: 'Where the first bucket begins.' }),
    to: momentParameter.optional().meta({ description: 'Where the last bucket ends. Default: now.' }),
    interval: durationParameter('Length of a bucket, such as `30s`, `5m` or `1h`.', '1m'),
    aggregate: choiceParameter(AGGREGATES)
      .default('average')
      .meta({ description: 'What the values of a bucket become.' }),
    basis: choiceParameter(BASES).default('arrival').meta({
      description:
        'The axis of time. `arrival`: when events arrived. `event-time`: by the clock of the device, of events that arrived no earlier than a day before `from`.',
    }),
  }),
  answers: { 200: { description: 'The buckets, and the gaps between them.', schema: seriesSchema } },
  problems: ['DEVICE_NOT_FOUND'],
});
