import {
  type DeviceId,
  type DeviceState,
  type EventPage,
  FOLD_VERSION,
  foldPage,
  formatVersion,
  newDevice,
} from '@twinstream/device-model';
import type { EventStore, Snapshot } from '@twinstream/event-store';
import type { LatestStateTable } from '@twinstream/latest-state';
import { type Position, positionKey, type ShardId } from '@twinstream/stream-model';
import { canonicalText } from './canonical-text.ts';

/** Something that is not as the guarantees say. */
export interface Difference {
  readonly deviceId: DeviceId;
  /**
   * `page-missing`: a number of the chain is absent. `stored-twice`: an identity has two places. `state-missing`,
   * `state-differs`: the live item is not the fold of the pages. `snapshot-differs`: a snapshot is not the fold up to its page.
   */
  readonly kind: 'page-missing' | 'stored-twice' | 'state-missing' | 'state-differs' | 'snapshot-differs';
  /** What differs: an attribute, a count, a page number, an identity. */
  readonly subject: string;
  readonly expected: string;
  readonly found: string;
}

/** An event of the chain as it was met. */
export interface ChainEvent {
  readonly shardId: ShardId;
  readonly stored: EventPage['events'][number];
}

export interface DeviceVerification {
  readonly pageCount: number;
  readonly eventCount: number;
  /** The fold of all pages. */
  readonly state: DeviceState;
  readonly differences: readonly Difference[];
}

export interface VerificationStores {
  readonly eventStore: EventStore;
  readonly latestState: LatestStateTable;
}

export interface VerifyDeviceOptions {
  /** Told of every event in chain order. */
  readonly onEvent?: (event: ChainEvent) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Folds the whole chain of one device and compares it with what is stored beside it: every member of the state item,
 * the numbers of the pages, the identities, the snapshots. Reads consistently. A device whose pages go on growing
 * meanwhile may show a state newer than its fold, which is compared again by the caller.
 */
export async function verifyDevice(
  { eventStore, latestState }: VerificationStores,
  deviceId: DeviceId,
  { onEvent, signal }: VerifyDeviceOptions = {},
): Promise<DeviceVerification> {
  const differences: Difference[] = [];
  const seen = new Map<string, number>();
  const snapshots = await snapshotsOf(eventStore, deviceId, signal);
  let state = newDevice(deviceId);
  let pageCount = 0;
  for await (const page of eventStore.pages(deviceId, { consistent: true, signal })) {
    pageCount += 1;
    if (page.page !== state.page + 1) {
      const [expected, found] = [String(state.page + 1), String(page.page)];
      differences.push({ deviceId, kind: 'page-missing', subject: `page ${expected}`, expected, found });
      state = { ...state, page: page.page - 1 };
    }
    for (const stored of page.events) {
      const identity = identityOf(page.shardId, stored);
      const earlier = seen.get(identity);
      if (earlier !== undefined) {
        const found = `pages ${earlier} and ${page.page}`;
        differences.push({ deviceId, kind: 'stored-twice', subject: identity, expected: 'one place', found });
      }
      seen.set(identity, page.page);
      onEvent?.({ shardId: page.shardId, stored });
    }
    state = foldPage(state, page);
    const snapshot = snapshots.get(page.page);
    if (snapshot !== undefined && canonicalText(snapshot.state) !== canonicalText(state)) {
      const subject = `snapshot of page ${page.page}`;
      differences.push({
        deviceId,
        kind: 'snapshot-differs',
        subject,
        expected: 'the fold',
        found: 'another state',
      });
    }
  }
  const live = await latestState.read(deviceId, { consistent: true, signal });
  if (live === undefined) {
    const found = 'no item';
    if (pageCount > 0) {
      differences.push({
        deviceId,
        kind: 'state-missing',
        subject: 'state',
        expected: `page ${state.page}`,
        found,
      });
    }
  } else differences.push(...stateDifferences(state, live));
  return { pageCount, eventCount: seen.size, state, differences };
}

/** Every member, attribute and mark in which two states differ. */
export function stateDifferences(expected: DeviceState, found: DeviceState): Difference[] {
  const { deviceId } = expected;
  const differences: Difference[] = [];
  const members = new Set([...Object.keys(expected), ...Object.keys(found)]) as Set<keyof DeviceState>;
  const compare = (subject: string, a: unknown, b: unknown) => {
    const [left, right] = [canonicalText(a), canonicalText(b)];
    if (left !== right)
      differences.push({ deviceId, kind: 'state-differs', subject, expected: left, found: right });
  };
  for (const member of members) {
    if (member === 'attributes') continue;
    compare(member, expected[member], found[member]);
  }
  for (const name of new Set([...expected.attributes.keys(), ...found.attributes.keys()])) {
    compare(`attributes.${name}`, expected.attributes.get(name), found.attributes.get(name));
  }
  return differences;
}

/** What makes an event itself within its device: its counter, its correction id, or else its position. */
export function identityOf(
  shardId: ShardId,
  { event, place }: Pick<ChainEvent['stored'], 'event' | 'place'>,
): string {
  if (event.correction !== undefined) return `correction ${event.correction.correctionId}`;
  const { identity } = event;
  if (identity === undefined) return `position ${positionKey({ shardId, ...place } satisfies Position)}`;
  return `event ${formatVersion({ ...identity, ordinal: 0, revision: 0 })}`;
}

async function snapshotsOf(
  eventStore: EventStore,
  deviceId: DeviceId,
  signal: AbortSignal | undefined,
): Promise<Map<number, Snapshot>> {
  const snapshots = new Map<number, Snapshot>();
  let pageAtMost: number | undefined;
  while (true) {
    const query = { foldVersion: FOLD_VERSION, consistent: true, signal };
    const snapshot = await eventStore.latestSnapshot(
      deviceId,
      pageAtMost === undefined ? query : { ...query, pageAtMost },
    );
    if (snapshot === undefined) return snapshots;
    snapshots.set(snapshot.state.page, snapshot);
    pageAtMost = snapshot.state.page - 1;
  }
}
