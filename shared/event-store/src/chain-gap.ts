import type { DeviceState, EventPage } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';

/**
 * Throws `CHAIN_BROKEN` unless the page is the next one of the state's chain: pages are never deleted, so a number that
 * is missing is a loss, and folding past it would hide the loss.
 */
export function requireNext(
  state: Pick<DeviceState, 'deviceId' | 'page'>,
  { page }: Pick<EventPage, 'page'>,
): void {
  if (page === state.page + 1) return;
  throw new CodedError(
    'CHAIN_BROKEN',
    `device ${state.deviceId} has page ${page} where page ${state.page + 1} should be`,
  );
}

/** Throws `CHAIN_BROKEN` where the pages end before the state's own. */
export function requireReached(state: Pick<DeviceState, 'deviceId' | 'page'>, lastPage: number): void {
  if (lastPage === state.page) return;
  throw new CodedError(
    'CHAIN_BROKEN',
    `device ${state.deviceId} has a state of page ${state.page}, but its pages end at ${lastPage}`,
  );
}
