import { type AttributeFault, attributeFaults, type Item, requireText } from '@twinstream/aws/dynamodb';
import type { DeviceId, EventPage, Upcaster } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import type { EventStore, PageKey, Snapshot } from './event-store.ts';
import { attributesBesideBody, decodePage } from './page-item.ts';
import { attributesBesideSnapshot, decodeSnapshot } from './snapshot-item.ts';
import { isSnapshotSortKey, readPageSortKey, readSnapshotSortKey } from './sort-key.ts';

/** An item whose sort key is none that this project writes. */
interface ForeignItem {
  readonly kind: 'foreign';
  readonly key: string;
}

/** An item in the place of a page, with all that is wrong with the item itself. */
export type AuditedPage =
  | {
      readonly kind: 'page';
      readonly page: EventPage;
      /** Attributes that do not say what the body says. */
      readonly faults: readonly AttributeFault[];
    }
  | {
      readonly kind: 'damaged';
      readonly key: PageKey;
      /** `UNKNOWN_EVENT_VERSION` where it is no damage: newer code wrote it. */
      readonly code: 'DAMAGED_PAGE' | 'UNKNOWN_EVENT_VERSION';
      readonly fault: string;
    }
  | ForeignItem;

/** An item beside the pages, with all that is wrong with the item itself. */
export type AuditedSnapshot =
  | {
      readonly kind: 'snapshot';
      readonly snapshot: Snapshot;
      /** Attributes that do not say what the sort key or the body says. */
      readonly faults: readonly AttributeFault[];
    }
  | { readonly kind: 'damaged'; readonly key: string; readonly page: number; readonly fault: string }
  | ForeignItem;

export interface AuditOptions {
  readonly signal?: AbortSignal | undefined;
}

/** An event store that shows everything stored in it, what cannot be read included: for verification and repair. Reads consistently. */
export interface AuditableEventStore extends EventStore {
  /** What stands where pages stand, in key order. */
  auditPages(deviceId: DeviceId, options?: AuditOptions): AsyncIterable<AuditedPage>;
  /** Everything else of the device, in key order; unused snapshots of other fold versions are excluded. */
  auditSnapshots(
    deviceId: DeviceId,
    options: AuditOptions & { readonly foldVersion: number },
  ): AsyncIterable<AuditedSnapshot>;
  /**
   * Puts a page where an item that says something else, in its body or beside it, or that cannot be read, stands under the
   * page's own key; `changed` where none stands there, or somebody changed it meanwhile. For repair: nobody else replaces.
   */
  replacePage(page: EventPage, signal?: AbortSignal): Promise<'replaced' | 'changed'>;
  /** Partition keys of the table, each once; they need not be device ids. */
  partitionKeys(signal?: AbortSignal): AsyncIterable<string>;
}

const KEYS = ['deviceId', 'key'] as const;
const BODY = 'body';

export function auditPage(item: Item, upcasters?: ReadonlyMap<number, Upcaster>): AuditedPage {
  const key = pageKeyOf(item);
  if (key === undefined) return { kind: 'foreign', key: requireText(item, 'key') };
  try {
    const page = decodePage(item, upcasters);
    return {
      kind: 'page',
      page,
      faults: attributeFaults(attributesBesideBody(page), item, [...KEYS, BODY]),
    };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const { code, message } = error;
    if (code !== 'DAMAGED_PAGE' && code !== 'UNKNOWN_EVENT_VERSION') throw error;
    return { kind: 'damaged', key, code, fault: message };
  }
}

function pageKeyOf(item: Item): PageKey | undefined {
  try {
    return readPageSortKey(requireText(item, 'key'));
  } catch (error) {
    if (error instanceof CodedError && error.code === 'DAMAGED_ITEM') return undefined;
    throw error;
  }
}

/** Undefined for a snapshot of another fold version. */
export function auditSnapshot(item: Item, foldVersion: number): AuditedSnapshot | undefined {
  const key = requireText(item, 'key');
  if (!isSnapshotSortKey(key)) return { kind: 'foreign', key };
  const named = readSnapshotSortKey(key);
  if (named.foldVersion !== foldVersion) return undefined;
  try {
    const snapshot = decodeSnapshot(item);
    return {
      kind: 'snapshot',
      snapshot,
      faults: attributeFaults(attributesBesideSnapshot(snapshot), item, [...KEYS, BODY]),
    };
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'DAMAGED_SNAPSHOT') throw error;
    return { kind: 'damaged', key, page: named.page, fault: error.message };
  }
}
