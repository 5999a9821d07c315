import { z } from 'zod';
import { FILTER_PARAMETERS, LABEL_VALUES_MAX } from './fleet.ts';
import { NO_PARAMETERS, operation, TAG_HEADERS, UNCHANGED } from './operation.ts';
import { attributeParameter, choiceParameter, IF_NONE_MATCH } from './parameters.ts';
import { LABELS } from './values.ts';

const figures = {
  count: z.int().min(0).meta({
    description:
      'Devices whose attribute is a number; one that is held as the text of its digits counts as the nearest double.',
  }),
  min: z.number().nullable(),
  max: z.number().nullable(),
  average: z.number().nullable().meta({ description: 'Null, like the others, where there is no number.' }),
};
const figuresSchema = z.object(figures);
export type AttributeFigures = z.infer<typeof figuresSchema>;

const aggregatesSchema = z
  .object({
    attribute: z.string(),
    total: figuresSchema.meta({ description: 'Over all devices that meet the filter.' }),
    groups: z
      .array(z.object({ value: z.string().nullable(), ...figures }))
      .optional()
      .meta({
        description: `With \`by\`: by value of the label, null for devices without it; those with most numbers first, ${LABEL_VALUES_MAX} at most.`,
      }),
    asOf: z.iso.datetime().meta({ description: 'Includes everything processed before this time.' }),
  })
  .meta({ id: 'FleetAggregates' });
export type FleetAggregates = z.infer<typeof aggregatesSchema>;

export const getFleetAggregates = operation({
  method: 'get',
  path: '/v1/fleet/aggregates',
  operationId: 'getFleetAggregates',
  summary: 'Count, least, greatest and average of one attribute over the fleet',
  scope: 'read',
  params: NO_PARAMETERS,
  query: z.strictObject({
    attribute: attributeParameter,
    by: choiceParameter(LABELS)
      .optional()
      .meta({ description: 'Label by which devices are grouped. Default: they are not.' }),
    ...FILTER_PARAMETERS,
  }),
  headers: IF_NONE_MATCH,
  answers: {
    200: {
      description: 'The figures, and how fresh they are.',
      schema: aggregatesSchema,
      headers: TAG_HEADERS,
    },
    ...UNCHANGED,
  },
});
