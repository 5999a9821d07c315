import {
  copyReceipts,
  type DeviceId,
  type DeviceState,
  type EventKey,
  type EventPage,
  eventTimeMs,
  foldPage,
  keyOf,
  newDevice,
  noReceipts,
  type Receipts,
  type StoredEvent,
} from '@twinstream/device-model';
import { type AuditedPage, enterReceipt, type Snapshot, withoutValues } from '@twinstream/event-store';
import { canonicalText } from './canonical-text.ts';
import type { Difference, VerifyDeviceOptions } from './difference.ts';
import { identityOf } from './identity.ts';
import { stateDifferences } from './state-differences.ts';

/** Missing pages that are listed one by one; more in one gap are listed as a range. */
const MISSING_PAGES_LISTED_MAX = 1_000;

interface ChainCheckOptions extends VerifyDeviceOptions {
  readonly snapshots: readonly Snapshot[];
  /** Page of the live item; undefined without one, or with one that cannot be read. */
  readonly livePage: number | undefined;
}

/** Goes along one chain, page by page, and notes what is wrong. */
export class ChainCheck {
  state: DeviceState;
  /** Items in the place of a page, those that cannot be read included. */
  pageCount = 0;
  /** Distinct identities. */
  get eventCount(): number {
    return this.#seen.size;
  }
  /** False after a gap, until a snapshot provides a valid start again. */
  isFoldSound = true;
  /** The fold up to the page of the live item, where the chain continues after it. */
  stateAtLivePage: DeviceState | undefined;
  readonly differences: Difference[] = [];
  readonly #deviceId: DeviceId;
  readonly #seen = new Map<string, number>();
  /** Where each key was stored last, since the last gap. */
  readonly #keys = new Map<
    string,
    { readonly index: number; readonly arrivalTime: number; readonly page: number }
  >();
  #eventIndex = 0;
  readonly #snapshots: ReadonlyMap<number, readonly Snapshot[]>;
  readonly #options: ChainCheckOptions;
  /** Everything received up to here, where a snapshot is to be compared with it. */
  #receipts: Receipts;
  /** Latest device time up to here, milliseconds since 1970; `unknown` after a snapshot without it. */
  #eventTimeMax: number | 'unknown' | undefined;

  constructor(deviceId: DeviceId, options: ChainCheckOptions) {
    this.#deviceId = deviceId;
    this.#options = options;
    this.#snapshots = Map.groupBy(options.snapshots, ({ state }) => state.page);
    this.#receipts = noReceipts();
    this.state = newDevice(deviceId);
  }

  take(audited: AuditedPage): void {
    if (audited.kind === 'foreign') {
      this.note('item-foreign', audited.key, 'a page or a snapshot', 'another sort key');
      return;
    }
    this.pageCount += 1;
    const key = audited.kind === 'page' ? audited.page : audited.key;
    this.expectPagesThrough(key.page - 1);
    const subject = `page ${key.page}`;
    if (key.page <= this.state.page) {
      this.note('page-key-differs', subject, 'one key', `twice, the second at ${key.arrivalMaxBefore}`);
      return;
    }
    if (this.isFoldSound && key.arrivalMaxBefore !== this.state.arrivalMax) {
      const [expected, found] = [this.state.arrivalMax, key.arrivalMaxBefore];
      this.note('page-key-differs', subject, String(expected), String(found));
    }
    if (audited.kind === 'damaged') {
      this.note('page-damaged', subject, 'a page', `${audited.code}: ${audited.fault}`);
      this.#passOver(key.page);
      return;
    }
    for (const { attribute, expected, found } of audited.faults) {
      this.note('page-attribute-differs', `${subject} ${attribute}`, expected, found);
    }
    this.#fold(audited.page);
  }

  /** Notes every page number between the last one met and this one, which is the last that must be there. */
  expectPagesThrough(last: number): void {
    const first = this.state.page + 1;
    if (last < first) return;
    if (last - first < MISSING_PAGES_LISTED_MAX) {
      for (let number = first; number <= last; number += 1) {
        this.note('page-missing', `page ${number}`, 'a page', 'none');
      }
    } else {
      this.note('page-missing', `pages ${first} to ${last}`, `${last - first + 1} pages`, 'none');
    }
    this.#passOver(last);
  }

  /** To be called at the end: a snapshot of a page that is not there has nothing to be compared with. */
  expectNoSnapshotBehind(): void {
    for (const page of this.#snapshots.keys()) {
      if (page <= this.state.page) continue;
      this.note(
        'snapshot-differs',
        `snapshot of page ${page}`,
        'a page',
        `the chain ends at page ${this.state.page}`,
      );
    }
  }

  note(kind: Difference['kind'], subject: string, expected: string, found: string): void {
    this.differences.push({ deviceId: this.#deviceId, kind, subject, expected, found });
  }

  #fold(page: EventPage): void {
    for (const stored of page.events) this.#enter(page, stored);
    this.state = foldPage(this.state, page, this.#options.limits);
    for (const snapshot of this.#snapshots.get(page.page) ?? []) {
      if (this.isFoldSound) this.#compareSnapshot(snapshot);
      else if (!snapshot.valuesOmitted) this.#restartFrom(snapshot);
    }
    if (page.page === this.#options.livePage && this.isFoldSound) this.stateAtLivePage = this.state;
  }

  /** Continues after pages whose events are unknown. */
  #passOver(last: number): void {
    this.isFoldSound = false;
    this.#keys.clear();
    this.state = { ...this.state, page: last };
    const snapshot = this.#snapshots.get(last)?.find(({ valuesOmitted }) => !valuesOmitted);
    if (snapshot === undefined) return;
    this.#restartFrom(snapshot);
    if (last === this.#options.livePage) this.stateAtLivePage = this.state;
  }

  #enter(page: EventPage, stored: StoredEvent): void {
    // A key identifies an event within its window alone.
    const { text, ...event } = stored;
    const key = stored.event.identity === undefined ? keyOf(text) : undefined;
    if (key !== undefined) this.#enterKey(page, stored, key);
    const identity = identityOf(page.shardId, key === undefined ? stored : event);
    this.#eventIndex += 1;
    const earlier = this.#seen.get(identity);
    if (earlier !== undefined) {
      this.note('stored-twice', identity, 'one place', `pages ${earlier} and ${page.page}`);
    }
    this.#seen.set(identity, page.page);
    if (this.#snapshots.size > 0) {
      enterReceipt(this.#receipts, stored);
      if (this.#eventTimeMax !== 'unknown') {
        this.#eventTimeMax = Math.max(
          this.#eventTimeMax ?? Number.NEGATIVE_INFINITY,
          eventTimeMs(stored.event.time),
        );
      }
    }
    this.#options.onEvent?.({ shardId: page.shardId, stored });
  }

  #enterKey({ page, shardId }: EventPage, stored: StoredEvent, { key, eventsMax, withinMs }: EventKey): void {
    const { arrivalTime } = stored;
    const earlier = this.#keys.get(key);
    this.#keys.set(key, { index: this.#eventIndex, arrivalTime, page });
    if (earlier === undefined || stored.late !== undefined) return;
    if (this.#eventIndex - earlier.index > eventsMax) return;
    if (Math.abs(arrivalTime - earlier.arrivalTime) > (withinMs ?? Number.POSITIVE_INFINITY)) return;
    this.note('stored-twice', identityOf(shardId, stored), 'one place', `pages ${earlier.page} and ${page}`);
  }

  #compareSnapshot(snapshot: Snapshot): void {
    const { state, receipts, eventTimeMax, valuesOmitted } = snapshot;
    const name = `snapshot of page ${state.page}`;
    const fold = valuesOmitted ? withoutValues({ ...snapshot, state: this.state }).state : this.state;
    for (const { subject, expected, found } of stateDifferences(fold, state)) {
      this.note('snapshot-differs', `${name} ${subject}`, expected, found);
    }
    const [expected, found] = [canonicalText(this.#receipts), canonicalText(receipts)];
    if (expected !== found) this.note('snapshot-differs', `${name} complete receipts`, expected, found);
    // One that does not say it is never used where it would matter.
    if (eventTimeMax === undefined || this.#eventTimeMax === 'unknown') return;
    if (eventTimeMax === this.#eventTimeMax) return;
    this.note(
      'snapshot-attribute-differs',
      `${name} eventTimeMax`,
      String(this.#eventTimeMax),
      String(eventTimeMax),
    );
  }

  #restartFrom({ state, receipts, eventTimeMax }: Snapshot): void {
    this.state = state;
    this.#receipts = copyReceipts(receipts);
    this.#eventTimeMax = eventTimeMax ?? 'unknown';
    this.isFoldSound = true;
  }
}
