import type { ConnectionStatus } from '@twinstream/device-model';
import { z } from 'zod';
import { CONNECTION_STATUSES } from '../device-json.ts';
import { LIVENESS, type Liveness } from '../liveness.ts';
import { textParameter } from '../parameters.ts';
import type { FleetRow } from './fleet-row.ts';
import { meetsTroubleFilter, TROUBLE_FILTERS, type TroubleFilter, troublesOf } from './trouble.ts';

/** Which devices of the fleet; a device must meet all that is given. */
export interface FleetFilter {
  readonly status?: ConnectionStatus | undefined;
  readonly liveness?: Liveness | undefined;
  readonly site?: string | undefined;
  readonly type?: string | undefined;
  readonly firmware?: string | undefined;
  readonly trouble?: TroubleFilter | undefined;
  /** Part of the id or of a label, in any case of letters. */
  readonly q?: string | undefined;
}

/** Query parameters by which lists, counts and live updates choose devices. */
export const FILTER_PARAMETERS = {
  status: z
    .enum(CONNECTION_STATUSES, `must be one of ${CONNECTION_STATUSES.join(', ')}`)
    .optional()
    .meta({ description: 'What the device said of its connection.' }),
  liveness: z
    .enum(LIVENESS, `must be one of ${LIVENESS.join(', ')}`)
    .optional()
    .meta({ description: 'What we infer from when it was last heard.' }),
  site: textParameter('Label `site`, whole.'),
  type: textParameter('Label `type`, whole.'),
  firmware: textParameter('Label `firmware`, whole.'),
  trouble: z
    .enum(TROUBLE_FILTERS, `must be one of ${TROUBLE_FILTERS.join(', ')}`)
    .optional()
    .meta({
      description:
        '`silent`: offline without having said so. `gaps`: counted events have never arrived. `any` of them, or `none`.',
    }),
  q: textParameter('Part of the id or of a label, in any case of letters.'),
};

/** A test of rows. The filter is read once, not once a row. */
export function fleetPredicate(filter: FleetFilter): (row: FleetRow, liveness: Liveness) => boolean {
  const { status, liveness, site, type, firmware, trouble } = filter;
  const q = filter.q?.toLowerCase();
  return (row, now) => {
    const { labels } = row.device;
    return (
      (status === undefined || row.device.status === status) &&
      (liveness === undefined || now === liveness) &&
      (site === undefined || labels.site === site) &&
      (type === undefined || labels.type === type) &&
      (firmware === undefined || labels.firmware === firmware) &&
      (q === undefined || row.searchText.includes(q)) &&
      (trouble === undefined || meetsTroubleFilter(troublesOf(row, now), trouble))
    );
  };
}
