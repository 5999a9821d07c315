import type { DeviceId, ReceiptLimits } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { type DeviceVerification, type Difference, verifyDevice } from '@twinstream/verification';
import type { Stores } from '../../services.ts';

/** What was found of a state item, and done. */
export type StateRestoration = 'equal' | 'restored';

export interface RestoreOptions {
  /** What the state remembers of receipts. */
  readonly limits: ReceiptLimits;
  readonly signal: AbortSignal;
}

type Kind = Difference['kind'];
const CHAIN_FAULTS: ReadonlySet<Kind> = new Set<Kind>(['page-missing', 'page-damaged', 'page-key-differs']);
const STATE_FAULTS: ReadonlySet<Kind> = new Set<Kind>([
  'state-differs',
  'state-missing',
  'state-damaged',
  'state-attribute-differs',
  'state-refused',
]);

/** A state that keeps changing is left to its own writer. */
const TRIES_MAX = 8;

/**
 * Puts the state item of a device right where it is not the fold of its pages. Throws `CHAIN_BROKEN` where pages are
 * missing: they must be restored first.
 */
export async function restoreState(
  stores: Stores,
  deviceId: DeviceId,
  { limits, signal }: RestoreOptions,
): Promise<StateRestoration> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const found = await verifyDevice(stores, deviceId, { limits, signal });
    const broken = found.differences.find(({ kind }) => CHAIN_FAULTS.has(kind));
    if (broken !== undefined) {
      throw new CodedError(
        'CHAIN_BROKEN',
        `the chain of ${deviceId} is not whole: ${broken.subject} ${broken.found}`,
      );
    }
    const kinds = new Set(found.differences.map(({ kind }) => kind));
    if (STATE_FAULTS.isDisjointFrom(kinds)) return 'equal';
    const result = await stores.latestState.replace(found.state, observedOf(found), signal);
    if (result === 'replaced') return 'restored';
  }
  return 'equal';
}

function observedOf({ livePage, differences }: DeviceVerification) {
  if (livePage !== undefined) return livePage;
  return differences.some(({ kind }) => kind === 'state-damaged') ? 'damaged' : 'none';
}
