import { type DeviceId, type DeviceState, FOLD_VERSION } from '@twinstream/device-model';
import type { AuditableEventStore, Snapshot } from '@twinstream/event-store';
import type { AuditedState, RepairableLatestState } from '@twinstream/latest-state';
import { ChainCheck } from './chain-check.ts';
import type { Difference, VerifyDeviceOptions } from './difference.ts';
import { stateDifferences } from './state-differences.ts';

export interface DeviceVerification {
  readonly pageCount: number;
  readonly eventCount: number;
  /** The fold of all pages; where some are missing, of those that are there. */
  readonly state: DeviceState;
  /** Page of the live item; undefined without one, or with one that cannot be read. */
  readonly livePage: number | undefined;
  /**
   * True where the live item could be compared: no page is missing or damaged, or a snapshot after the last one gave a
   * sound start. Otherwise the pages must be restored first.
   */
  readonly isStateCompared: boolean;
  readonly differences: readonly Difference[];
}

export interface VerificationStores {
  readonly eventStore: Pick<AuditableEventStore, 'auditPages' | 'auditSnapshots'>;
  readonly latestState: Pick<RepairableLatestState, 'audit' | 'sizeOf'>;
}

/**
 * Folds the whole chain of one device and compares it with everything that is stored beside the events: every attribute
 * of the pages and their keys, the identities, the snapshots with their receipts, every attribute of the state item, and
 * items at keys that are none. Each item is read once, consistently; what cannot be read is a difference, and the rest is
 * verified nevertheless. A device that changes meanwhile may show differences that are none: see {@link verifyDevices},
 * which looks again.
 */
export async function verifyDevice(
  { eventStore, latestState }: VerificationStores,
  deviceId: DeviceId,
  options: VerifyDeviceOptions = {},
): Promise<DeviceVerification> {
  const { signal } = options;
  const live = await latestState.audit(deviceId, signal);
  const livePage = live.kind === 'state' ? live.state.page : undefined;
  const { snapshots, differences: ofSnapshots } = await readSnapshots(eventStore, deviceId, signal);
  const check = new ChainCheck(deviceId, { ...options, snapshots, livePage });
  for await (const page of eventStore.auditPages(deviceId, { signal })) check.take(page);
  if (livePage !== undefined) check.expectPagesThrough(livePage);
  check.expectNoSnapshotBehind();
  noteAttributes(check, live);
  if (check.isFoldSound) await compareLive(check, latestState, live, signal);
  return {
    pageCount: check.pageCount,
    eventCount: check.eventCount,
    state: check.state,
    livePage,
    isStateCompared: check.isFoldSound,
    differences: [...ofSnapshots, ...check.differences],
  };
}

function noteAttributes(check: ChainCheck, live: AuditedState): void {
  if (live.kind === 'damaged') {
    check.note('state-damaged', 'state', `page ${check.state.page}`, live.fault);
  } else if (live.kind === 'state') {
    for (const { attribute, expected, found } of live.faults) {
      check.note('state-attribute-differs', attribute, expected, found);
    }
  }
}

async function compareLive(
  check: ChainCheck,
  latestState: VerificationStores['latestState'],
  live: AuditedState,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { state } = check;
  if (live.kind === 'none') {
    if (state.page > 0) noteBehind(check, latestState, undefined);
    return;
  }
  if (live.kind !== 'state') return;
  // Absent where the live page lies among pages whose events are unknown, and after which a snapshot gave a sound start.
  const expectedState = live.state.page === state.page ? state : check.stateAtLivePage;
  if (expectedState !== undefined) {
    for (const { subject, expected, found } of stateDifferences(expectedState, live.state)) {
      check.note('state-differs', subject, expected, found);
    }
  }
  if (live.state.page >= state.page) return;
  const now = await latestState.audit(state.deviceId, signal);
  if (now.kind === 'state' && now.state.page < state.page) noteBehind(check, latestState, now.state.page);
}

/** Notes that there is no state item, or one of an earlier page; and where it is so, that no item can hold the state. */
function noteBehind(
  check: ChainCheck,
  latestState: Pick<RepairableLatestState, 'sizeOf'>,
  livePage: number | undefined,
): void {
  const { state } = check;
  const { bytes, bytesMax } = latestState.sizeOf(state);
  const found = livePage === undefined ? 'no item' : `page ${livePage}`;
  if (bytes > bytesMax) {
    const why = `${found}: the state takes ${bytes} bytes, an item holds ${bytesMax}`;
    check.note('state-refused', 'state', `page ${state.page}`, why);
  } else if (livePage === undefined) check.note('state-missing', 'state', `page ${state.page}`, found);
  else check.note('state-differs', 'page', `page ${state.page}`, found);
}

async function readSnapshots(
  eventStore: VerificationStores['eventStore'],
  deviceId: DeviceId,
  signal: AbortSignal | undefined,
): Promise<{ readonly snapshots: readonly Snapshot[]; readonly differences: readonly Difference[] }> {
  const snapshots: Snapshot[] = [];
  const differences: Difference[] = [];
  for await (const audited of eventStore.auditSnapshots(deviceId, { foldVersion: FOLD_VERSION, signal })) {
    if (audited.kind === 'foreign') {
      const [expected, found] = ['a page or a snapshot', 'another sort key'];
      differences.push({ deviceId, kind: 'item-foreign', subject: audited.key, expected, found });
    } else if (audited.kind === 'damaged') {
      const subject = `snapshot of page ${audited.page}`;
      const [expected, found] = ['a snapshot', audited.fault];
      differences.push({ deviceId, kind: 'snapshot-damaged', subject, expected, found });
    } else {
      snapshots.push(audited.snapshot);
      for (const { attribute, expected, found } of audited.faults) {
        const subject = `snapshot of page ${audited.snapshot.state.page} ${attribute}`;
        differences.push({ deviceId, kind: 'snapshot-attribute-differs', subject, expected, found });
      }
    }
  }
  return { snapshots, differences };
}
