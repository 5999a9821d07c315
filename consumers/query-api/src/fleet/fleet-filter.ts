import type { FleetFilter, Liveness } from '@twinstream/api-contract';
import { attributePredicate } from './attribute-condition.ts';
import { type FleetRow, searchText } from './fleet-row.ts';
import { meetsTroubleFilter, troublesOf } from './trouble.ts';

/** A test of rows. The filter is read once, not once a row. */
export function fleetPredicate(filter: FleetFilter): (row: FleetRow, liveness: Liveness) => boolean {
  const { status, liveness, site, type, firmware, trouble } = filter;
  const q = filter.q?.toLowerCase();
  const ids = filter.ids === undefined ? undefined : new Set(filter.ids);
  const meetsConditions = attributePredicate(filter.attr);
  return (row, now) => {
    const { labels } = row.device;
    return (
      (status === undefined || row.device.status === status) &&
      (liveness === undefined || now === liveness) &&
      (site === undefined || labels.site === site) &&
      (type === undefined || labels.type === type) &&
      (firmware === undefined || labels.firmware === firmware) &&
      (ids === undefined || ids.has(row.deviceId)) &&
      meetsConditions(row.device.attributes) &&
      (q === undefined || searchText(row.device).includes(q)) &&
      (trouble === undefined || meetsTroubleFilter(troublesOf(row, now), trouble))
    );
  };
}
