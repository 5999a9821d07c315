import {
  COMPLETE_RECEIPT_LIMITS,
  compareVersions,
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
import type { EventStore } from '@twinstream/event-store';
import { compareWithinShard, type ShardId } from '@twinstream/stream-model';
import { canonicalText, identityOf } from '@twinstream/verification';
import { keptAttributes } from './kept-attributes.ts';
import { checkRestored, type LeftOut } from './restoration.ts';
import { Violation } from './violation.ts';

export { Violation } from './violation.ts';

/** Only events below newer counters, or below the high-water mark of their shard, may count as late. */
function checkLateness(
  before: DeviceState,
  shardId: ShardId,
  { event, place, arrivalTime }: StoredEvent,
): void {
  if (event.identity !== undefined) return;
  const mark = before.marks.get(shardId);
  const isBelow = mark !== undefined && compareWithinShard(place, mark) <= 0;
  const mayBeBelow = before.marksFloor !== undefined && arrivalTime <= before.marksFloor;
  if (isBelow || mayBeBelow) return;
  throw new Violation(
    'what is above the high-water mark of its shard is new',
    `${event.deviceId} ${shardId} ${place.sequenceNumber}`,
  );
}

const NOTHING_LEFT_OUT: LeftOut = { hasGivenUp: false, has: () => false };

/**
 * What is really stored, seen from outside every process: it watches each write take effect and checks the guarantees at
 * that moment.
 */
export class Oracle {
  readonly pages = new Map<DeviceId, EventPage[]>();
  readonly #states = new Map<DeviceId, DeviceState[]>();
  readonly #statePages = new Map<DeviceId, number>();
  /** Page in which each identity of a device lies. */
  readonly #stored = new Map<DeviceId, Map<string, number>>();
  /** Pages that were deleted, by number, and what was put back for them. */
  readonly #deleted = new Map<DeviceId, Map<number, EventPage | undefined>>();
  readonly #receiptLimits: ReceiptLimits;
  readonly #leftOut: LeftOut;

  constructor(receiptLimits: ReceiptLimits, leftOut: LeftOut = NOTHING_LEFT_OUT) {
    this.#receiptLimits = receiptLimits;
    this.#leftOut = leftOut;
  }

  /** A page took effect. */
  onAppend(page: EventPage): void {
    const { deviceId } = page;
    if (this.isDeleted(deviceId, page.page)) {
      this.#onRestore(page);
      return;
    }
    const pages = this.pages.get(deviceId) ?? [];
    this.pages.set(deviceId, pages);
    const before = this.stateAfter(deviceId, pages.length);
    if (page.page !== pages.length + 1 || page.arrivalMaxBefore !== before.arrivalMax) {
      const key = `${page.arrivalMaxBefore}#${page.page}`;
      throw new Violation(
        'page numbers are contiguous',
        `${deviceId} ${key} after ${before.arrivalMax}#${before.page}`,
      );
    }
    const stored = this.#stored.get(deviceId) ?? new Map<string, number>();
    this.#stored.set(deviceId, stored);
    for (const event of page.events) {
      const identity = identityOf(page.shardId, event);
      const earlier = stored.get(identity);
      if (earlier !== undefined) {
        throw new Violation(
          'nothing is stored twice',
          `${deviceId} ${identity} in pages ${earlier} and ${page.page}`,
        );
      }
      stored.set(identity, page.page);
      if (event.late !== undefined) checkLateness(before, page.shardId, event);
    }
    pages.push(page);
    this.#states.get(deviceId)?.push(foldPage(before, page, this.#receiptLimits));
  }

  /** Somebody deleted pages. The chain as it was stays in mind until it is whole again. */
  onDelete(deviceId: DeviceId, numbers: readonly number[]): void {
    this.#deleted.set(deviceId, new Map(numbers.map((number) => [number, undefined])));
  }

  /** Somebody put back what was deleted, from a backup. */
  onPutBack(deviceId: DeviceId): void {
    this.#deleted.delete(deviceId);
  }

  /** Somebody altered a state item: it stands at this page now, at 0 where it is gone. */
  onAlter(deviceId: DeviceId, page: number): void {
    this.#statePages.set(deviceId, page);
  }

  /** Nothing is stored of the device any more. */
  forget(deviceId: DeviceId): void {
    this.pages.delete(deviceId);
    this.#states.delete(deviceId);
    this.#stored.delete(deviceId);
    this.#statePages.delete(deviceId);
    this.#deleted.delete(deviceId);
  }

  /** True where the page is missing, and was not put back. */
  isDeleted(deviceId: DeviceId, page: number): boolean {
    const deleted = this.#deleted.get(deviceId);
    return deleted?.has(page) === true && deleted.get(page) === undefined;
  }

  /** Devices of which pages are missing. */
  get damaged(): readonly DeviceId[] {
    return [...this.#deleted.keys()];
  }

  #onRestore(page: EventPage): void {
    const { deviceId } = page;
    const deleted = this.#deleted.get(deviceId) ?? new Map<number, EventPage | undefined>();
    deleted.set(page.page, page);
    if ([...deleted.values()].includes(undefined)) return;
    const pages = this.pages.get(deviceId) ?? [];
    const before = { pages, state: this.stateAfter(deviceId, pages.length) };
    const statePage = this.statePage(deviceId);
    this.forget(deviceId);
    const whole = pages.map((known) => deleted.get(known.page) ?? known);
    for (const one of whole) this.onAppend(one);
    this.onAlter(deviceId, statePage);
    const after = { pages: whole, state: this.stateAfter(deviceId, whole.length) };
    checkRestored(before, after, new Set(deleted.keys()), this.#leftOut);
  }

  /** A state took effect. */
  onState(state: DeviceState): void {
    const { deviceId, page } = state;
    if (page > (this.pages.get(deviceId)?.length ?? 0)) {
      throw new Violation('state is written after the page', `${deviceId} state ${page}`);
    }
    if (canonicalText(state) !== canonicalText(this.stateAfter(deviceId, page))) {
      throw new Violation('state equals the fold of pages 1 to n', `${deviceId} page ${page}`);
    }
    const earlier = this.#statePages.get(deviceId) ?? 0;
    if (page < earlier)
      throw new Violation('state never moves back', `${deviceId} from ${earlier} to ${page}`);
    this.#statePages.set(deviceId, page);
  }

  /** The fold of the first `page` pages. */
  stateAfter(deviceId: DeviceId, page: number): DeviceState {
    let states = this.#states.get(deviceId);
    if (states === undefined) {
      states = [newDevice(deviceId)];
      this.#states.set(deviceId, states);
    }
    const state = states[page];
    if (state === undefined) throw new RangeError(`${deviceId} has no page ${page}`);
    return state;
  }

  /** Page of an identity, or undefined when it is not stored. */
  pageOf(deviceId: DeviceId, identity: string): number | undefined {
    return this.#stored.get(deviceId)?.get(identity);
  }

  storedCount(): number {
    let count = 0;
    for (const stored of this.#stored.values()) count += stored.size;
    return count;
  }

  /** Page at which the state item of a device stands; 0 without one. */
  statePage(deviceId: DeviceId): number {
    return this.#statePages.get(deviceId) ?? 0;
  }

  /** Every snapshot is the fold up to its page, and remembers everything received. */
  async checkSnapshots(eventStore: EventStore): Promise<void> {
    for (const [deviceId, pages] of this.pages) {
      let pageAtMost = pages.length;
      while (true) {
        const snapshot = await eventStore.latestSnapshot(deviceId, { foldVersion: FOLD_VERSION, pageAtMost });
        if (snapshot === undefined) break;
        const { page } = snapshot.state;
        if (canonicalText(snapshot.state) !== canonicalText(this.stateAfter(deviceId, page))) {
          throw new Violation('snapshots equal the fold', `${deviceId} page ${page}`);
        }
        const complete = pages
          .slice(0, page)
          .reduce((state, next) => foldPage(state, next, COMPLETE_RECEIPT_LIMITS), newDevice(deviceId));
        if (canonicalText(snapshot.receipts) !== canonicalText(complete.receipts)) {
          throw new Violation('snapshots hold complete receipts', `${deviceId} page ${page}`);
        }
        pageAtMost = page - 1;
      }
    }
  }

  /**
   * State does not depend on the order of arrival: the newest version of each attribute wins, in any order of arrival; where
   * names are too many, of those that the bound keeps, and no other.
   */
  checkLastWriterWins(): void {
    for (const [deviceId, pages] of this.pages) {
      const newest = new Map<string, StoredEvent>();
      for (const stored of pages.flatMap(({ events }) => events)) {
        if (!['reported', 'connected', 'disconnected', 'corrected'].includes(stored.event.type)) continue;
        for (const name of Object.keys(stored.event.data)) {
          const rival = newest.get(name);
          if (rival === undefined || compareVersions(stored.version, rival.version) > 0)
            newest.set(name, stored);
        }
      }
      const state = this.stateAfter(deviceId, pages.length);
      const kept = keptAttributes(newest, this.#receiptLimits.attributeNameBytesMax);
      for (const [name, { event }] of kept) {
        const value = state.attributes.get(name)?.value ?? null;
        if (JSON.stringify(value) !== JSON.stringify(event.data[name])) {
          throw new Violation('the newest version of an attribute wins', `${deviceId} ${name}`);
        }
      }
      for (const name of state.attributes.keys()) {
        if (!kept.has(name)) throw new Violation('names of a state are bounded', `${deviceId} ${name}`);
      }
    }
  }

  /** Versions of a device never repeat: two different events are never equally new. */
  checkVersions(): void {
    for (const [deviceId, pages] of this.pages) {
      const seen = new Set<string>();
      for (const { version } of pages.flatMap(({ events }) => events)) {
        const text = formatVersion(version);
        if (seen.has(text)) throw new Violation('versions are unique', `${deviceId} ${text}`);
        seen.add(text);
      }
    }
  }
}
