import { type DeviceState, labelsOf } from '@twinstream/device-model';

/** Bytes of an index key. DynamoDB developer guide, "Quotas": a partition key holds 2,048 bytes (read 2026-11). */
export const SITE_BYTES_MAX = 2_048;

const utf8 = new TextEncoder();

/** The site under which a device is listed: its label, unless that is too long for an index key. */
export function indexedSiteOf(state: Pick<DeviceState, 'attributes'>): string | undefined {
  const { site } = labelsOf(state);
  return site !== undefined && isIndexable(site) ? site : undefined;
}

/** False for a site that no index key can hold: no device is listed under it. */
export function isIndexable(site: string): boolean {
  return site !== '' && (site.length * 3 <= SITE_BYTES_MAX || utf8.encode(site).length <= SITE_BYTES_MAX);
}
