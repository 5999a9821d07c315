import type { FleetFilter, Liveness } from '@twinstream/api-contract';
import { NOTE } from '@twinstream/table-generation/annotations';
import { attributePredicate } from './attribute-condition.ts';
import { type FleetRow, searchText } from './fleet-row.ts';
import { troubleIndexOf, troubleTable } from './trouble.ts';

/** A test of rows, each with its liveness and the bits of its notes. The filter is read once, not once a row. */
export function fleetPredicate(
  filter: FleetFilter,
): (row: Pick<FleetRow, 'deviceId' | 'device'>, liveness: Liveness, notes: number) => boolean {
  const { status, liveness, site, type, firmware, trouble, acknowledged, retired = 'false' } = filter;
  const q = filter.q?.toLowerCase();
  const ids = filter.ids === undefined ? undefined : new Set(filter.ids);
  const meetsConditions = attributePredicate(filter.attr);
  const meetsTrouble = troubleTable(trouble, acknowledged);
  return (row, now, notes) => {
    const { labels } = row.device;
    return (
      (retired === 'any' || (retired === 'true') === ((notes & NOTE.retired) !== 0)) &&
      (status === undefined || row.device.status === status) &&
      (liveness === undefined || now === liveness) &&
      (site === undefined || labels.site === site) &&
      (type === undefined || labels.type === type) &&
      (firmware === undefined || labels.firmware === firmware) &&
      (ids === undefined || ids.has(row.deviceId)) &&
      meetsConditions(row.device.attributes) &&
      (q === undefined || searchText(row.device).includes(q)) &&
      meetsTrouble[troubleIndexOf(row.device, now, notes)] === true
    );
  };
}
