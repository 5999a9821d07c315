import {
  type DeviceId,
  type DeviceState,
  type EventPage,
  FOLD_VERSION,
  foldPage,
  formatVersion,
  newDevice,
  type ReceiptLimits,
  type StoredEvent,
} from '@twinstream/device-model';
import type { EventStore, Snapshot } from '@twinstream/event-store';
import type { LatestStateTable } from '@twinstream/latest-state';
import { CodedError } from '@twinstream/runtime';
import { type Position, positionKey, type ShardId } from '@twinstream/stream-model';
import { canonicalText } from './canonical-text.ts';

/** Something that is not as the guarantees say. */
export interface Difference {
  readonly deviceId: DeviceId;
  /**
   * `page-missing`: a number of the chain is absent. `page-key-differs`: a page does not stand at the key that the page
   * before gives it. `stored-twice`: an identity has two places. `state-missing`, `state-differs`, `state-damaged`: the
   * live item is not the fold of the pages. `snapshot-differs`: a snapshot is not the fold up to its page.
   * `not-archived`: the archive lacks a stored event although it should have it by now.
   */
  readonly kind:
    | 'page-missing'
    | 'page-key-differs'
    | 'stored-twice'
    | 'state-missing'
    | 'state-differs'
    | 'state-damaged'
    | 'snapshot-differs'
    | 'not-archived';
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
  /** The fold of all pages; where some are missing, of those that are there. */
  readonly state: DeviceState;
  /** Page of the live item; undefined without one, or with one that cannot be read. */
  readonly livePage: number | undefined;
  /**
   * True where the live item could be compared: no page is missing, or a snapshot behind the last gap gave a sound start.
   * Otherwise the pages must be restored first.
   */
  readonly isStateCompared: boolean;
  readonly differences: readonly Difference[];
}

export interface VerificationStores {
  readonly eventStore: EventStore;
  readonly latestState: Pick<LatestStateTable, 'read'>;
}

export interface VerifyDeviceOptions {
  /** Told of every event in chain order. */
  readonly onEvent?: (event: ChainEvent) => void;
  /** What the state remembers of receipts. Default: as the state item does. */
  readonly limits?: ReceiptLimits;
  readonly signal?: AbortSignal | undefined;
}

/** Missing pages that are listed one by one; more in one gap are listed as a range. */
const MISSING_PAGES_LISTED_MAX = 1_000;

/**
 * Folds the whole chain of one device and compares it with what is stored beside it: every member of the state item,
 * the numbers and keys of the pages, the identities, the snapshots. Reads consistently. A device that changes meanwhile
 * may show differences that are none: see {@link verifyDevices}, which looks again.
 */
export async function verifyDevice(
  { eventStore, latestState }: VerificationStores,
  deviceId: DeviceId,
  options: VerifyDeviceOptions = {},
): Promise<DeviceVerification> {
  const { signal } = options;
  const live = await readLive(latestState, deviceId, signal);
  const livePage = live.kind === 'state' ? live.state.page : undefined;
  const check = new ChainCheck(deviceId, await snapshotsOf(eventStore, deviceId, signal), livePage, options);
  for await (const page of eventStore.pages(deviceId, { consistent: true, signal })) check.take(page);
  if (live.kind === 'state') check.expectPagesThrough(live.state.page);
  const { state, differences } = check;
  if (check.isFoldSound) {
    differences.push(...liveDifferences(check.stateAtLivePage ?? state, live));
    if (livePage !== undefined && livePage < state.page && check.stateAtLivePage !== undefined) {
      const now = await readLive(latestState, deviceId, signal);
      if (now.kind === 'state' && now.state.page < state.page) {
        const found = `page ${now.state.page}`;
        differences.push({
          deviceId,
          kind: 'state-differs',
          subject: 'page',
          expected: `page ${state.page}`,
          found,
        });
      }
    }
  }
  return {
    pageCount: check.pageCount,
    eventCount: check.eventCount,
    state,
    livePage,
    isStateCompared: check.isFoldSound,
    differences,
  };
}

type LiveItem =
  | { readonly kind: 'none' }
  | { readonly kind: 'damaged'; readonly fault: string }
  | { readonly kind: 'state'; readonly state: DeviceState };

async function readLive(
  latestState: VerificationStores['latestState'],
  deviceId: DeviceId,
  signal: AbortSignal | undefined,
): Promise<LiveItem> {
  try {
    const state = await latestState.read(deviceId, { consistent: true, signal });
    return state === undefined ? { kind: 'none' } : { kind: 'state', state };
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'DAMAGED_STATE') throw error;
    return { kind: 'damaged', fault: error.message };
  }
}

function liveDifferences(fold: DeviceState, live: LiveItem): Difference[] {
  if (live.kind === 'state') return stateDifferences(fold, live.state);
  const subject = { deviceId: fold.deviceId, subject: 'state', expected: `page ${fold.page}` };
  if (live.kind === 'damaged') return [{ ...subject, kind: 'state-damaged', found: live.fault }];
  return fold.page === 0 ? [] : [{ ...subject, kind: 'state-missing', found: 'no item' }];
}

/** Goes along one chain, page by page, and notes what is wrong. */
class ChainCheck {
  state: DeviceState;
  pageCount = 0;
  /** Distinct identities. */
  get eventCount(): number {
    return this.#seen.size;
  }
  /** False behind a gap, until a snapshot gives a sound start again. */
  isFoldSound = true;
  /** The fold up to the page of the live item, where the chain goes on behind it. */
  stateAtLivePage: DeviceState | undefined;
  readonly differences: Difference[] = [];
  readonly #deviceId: DeviceId;
  readonly #seen = new Map<string, number>();
  readonly #snapshots: ReadonlyMap<number, Snapshot>;
  readonly #livePage: number | undefined;
  readonly #options: VerifyDeviceOptions;

  constructor(
    deviceId: DeviceId,
    snapshots: ReadonlyMap<number, Snapshot>,
    livePage: number | undefined,
    options: VerifyDeviceOptions,
  ) {
    this.#deviceId = deviceId;
    this.#snapshots = snapshots;
    this.#livePage = livePage;
    this.#options = options;
    this.state = newDevice(deviceId);
  }

  take(page: EventPage): void {
    this.pageCount += 1;
    this.expectPagesThrough(page.page - 1);
    if (page.page <= this.state.page) {
      const found = `twice, the second at ${page.arrivalMaxBefore}`;
      this.#note('page-key-differs', `page ${page.page}`, 'one key', found);
      return;
    }
    if (this.isFoldSound && page.arrivalMaxBefore !== this.state.arrivalMax) {
      const [expected, found] = [this.state.arrivalMax, page.arrivalMaxBefore];
      this.#note('page-key-differs', `page ${page.page}`, String(expected), String(found));
    }
    for (const stored of page.events) this.#enter(page, stored);
    this.state = foldPage(this.state, page, this.#options.limits);
    this.#compareSnapshot(page.page);
    if (page.page === this.#livePage && this.isFoldSound) this.stateAtLivePage = this.state;
  }

  /** Notes every page number between the last one met and this one, which is the last that must be there. */
  expectPagesThrough(last: number): void {
    const first = this.state.page + 1;
    if (last < first) return;
    if (last - first < MISSING_PAGES_LISTED_MAX) {
      for (let number = first; number <= last; number += 1) {
        this.#note('page-missing', `page ${number}`, 'a page', 'none');
      }
    } else {
      this.#note('page-missing', `pages ${first} to ${last}`, `${last - first + 1} pages`, 'none');
    }
    this.isFoldSound = false;
    this.state = { ...this.state, page: last };
    const snapshot = this.#snapshots.get(last);
    if (snapshot !== undefined) this.#restartFrom(snapshot);
  }

  #enter(page: EventPage, stored: StoredEvent): void {
    const identity = identityOf(page.shardId, stored);
    const earlier = this.#seen.get(identity);
    if (earlier !== undefined) {
      this.#note('stored-twice', identity, 'one place', `pages ${earlier} and ${page.page}`);
    }
    this.#seen.set(identity, page.page);
    this.#options.onEvent?.({ shardId: page.shardId, stored });
  }

  #compareSnapshot(page: number): void {
    const snapshot = this.#snapshots.get(page);
    if (snapshot === undefined) return;
    if (!this.isFoldSound) this.#restartFrom(snapshot);
    else if (canonicalText(snapshot.state) !== canonicalText(this.state)) {
      this.#note('snapshot-differs', `snapshot of page ${page}`, 'the fold', 'another state');
    }
  }

  #restartFrom(snapshot: Snapshot): void {
    this.state = snapshot.state;
    this.isFoldSound = true;
  }

  #note(kind: Difference['kind'], subject: string, expected: string, found: string): void {
    this.differences.push({ deviceId: this.#deviceId, kind, subject, expected, found });
  }
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
