import { z } from 'zod';
import { attributeFilterParameter } from './attribute-filter.ts';
import { choiceParameter, deviceIdsParameter, flagParameter, textParameter } from './parameters.ts';
import { CONNECTION_STATUSES, LIVENESS, RETIRED_FILTERS, TROUBLE_FILTERS, TROUBLES } from './values.ts';

/** Query parameters by which lists, counts and live updates choose devices; a device must meet all that is given. */
export const FILTER_PARAMETERS = {
  status: choiceParameter(CONNECTION_STATUSES)
    .optional()
    .meta({ description: 'Connection status that the device reported.' }),
  liveness: choiceParameter(LIVENESS)
    .optional()
    .meta({ description: 'Liveness inferred from its last arrival.' }),
  site: textParameter('Label `site`, whole.'),
  type: textParameter('Label `type`, whole.'),
  firmware: textParameter('Label `firmware`, whole.'),
  trouble: choiceParameter(TROUBLE_FILTERS).optional().meta({
    description:
      '`silent`: offline without having said so. `gaps`: counted events have never arrived. `any` of them, or `none`.',
  }),
  acknowledged: flagParameter(
    '`false`: devices with a trouble that nobody has acknowledged; `true`: devices whose troubles all are. With `trouble=silent` or `gaps`, of that trouble alone.',
  ),
  retired: choiceParameter(RETIRED_FILTERS).optional().meta({
    description:
      '`true`: retired devices alone; `any`: beside the others. Default, `false`: devices that are not retired.',
  }),
  attr: attributeFilterParameter,
  ids: deviceIdsParameter,
  q: textParameter('Part of the id or of a label, in any case of letters.'),
};
const filterSchema = z.object(FILTER_PARAMETERS);
export type FleetFilter = Readonly<z.infer<typeof filterSchema>>;

/** Values of a label that are counted one by one, the most frequent first. */
export const LABEL_VALUES_MAX = 100;

const count = z.int().min(0);
const labelCountsSchema = z
  .object({
    values: z.array(z.object({ value: z.string(), count })).max(LABEL_VALUES_MAX),
    other: count.meta({
      description: `Devices with another value, where there are more than ${LABEL_VALUES_MAX}.`,
    }),
    none: count.meta({ description: 'Devices without this label.' }),
  })
  .meta({ id: 'LabelCounts' });
export type LabelCounts = z.infer<typeof labelCountsSchema>;

const thresholdsSchema = z.object({ staleAfterMs: z.number(), offlineAfterMs: z.number() });

export const fleetSummarySchema = z
  .object({
    total: count,
    byStatus: z
      .record(z.enum(CONNECTION_STATUSES), count)
      .meta({ description: 'Devices by reported status.' }),
    byLiveness: z
      .record(z.enum(LIVENESS), count)
      .meta({ description: 'Devices by liveness, inferred from their last arrival.' }),
    inTrouble: count.meta({ description: 'Devices with any trouble.' }),
    byTrouble: z.record(z.enum(TROUBLES), count).meta({ description: 'A device may have more than one.' }),
    unacknowledged: count.meta({ description: 'Devices with a trouble that nobody has acknowledged.' }),
    retired: count.meta({
      description:
        'Retired devices that meet the filter; they are in no other count unless `retired` asks for them.',
    }),
    bySite: labelCountsSchema,
    byType: labelCountsSchema,
    byFirmware: labelCountsSchema,
    thresholds: z
      .object({ default: thresholdsSchema, byType: z.record(z.string(), thresholdsSchema) })
      .meta({ description: 'Time without arrivals after which a device is stale, and offline.' }),
    gapsAgeOutMs: z.number().nullable().meta({
      description: 'Gaps older than this are no longer trouble, in milliseconds; null: they always are.',
    }),
    lagMs: z.int().min(0).nullable().meta({
      description:
        'How much later than the stream the slowest shard is processed, in milliseconds; null while unknown.',
    }),
    asOf: z.iso
      .datetime()
      .meta({ description: 'These counts include everything processed before this time.' }),
  })
  .meta({ id: 'FleetSummary' });
export type FleetSummary = z.infer<typeof fleetSummarySchema>;
