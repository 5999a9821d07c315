import type { DeviceState } from '@twinstream/device-model';
import { canonicalText } from '@twinstream/verification';

/** A restored chain, folded. */
export interface RestoredChain {
  readonly end: DeviceState;
  /** Where the chain stood at the page of the live state; absent where a boundary of restored neighbours lies there. */
  readonly atLivePage?: DeviceState;
}

/** What the live state knows and a restored chain does not say; undefined where they agree. Attributes are not compared: those of the item may be what is wrong. */
export function contradiction(live: DeviceState, { end, atLivePage }: RestoredChain): string | undefined {
  const lacking = counterLacking(live, end);
  if (lacking !== undefined) return `the source lacks event ${lacking}, which was accepted`;
  if (atLivePage === undefined || canonicalText(courseOf(live)) === canonicalText(courseOf(atLivePage))) {
    return undefined;
  }
  return 'what the source has, in its own order, does not lead to the state of the device';
}

/**
 * True where the live state has dropped as many duplicates as a restored chain. It need not: what was given up, or dropped
 * as delivered again, may count as a duplicate when it is laid out again.
 */
export function countsDuplicatesAs(live: DeviceState, { atLivePage }: RestoredChain): boolean {
  return atLivePage === undefined || live.counts.duplicates === atLivePage.counts.duplicates;
}

/** What tells in which order events were accepted. */
function courseOf({ position, current, ordinal, counts }: DeviceState) {
  const { events, late, gaps } = counts;
  return { position, current, ordinal, events, late, gaps };
}

function counterLacking(live: DeviceState, { receipts }: DeviceState): string | undefined {
  for (const [session, { ranges }] of live.receipts.sessions) {
    for (const { first, last } of ranges) {
      const known = receipts.sessions.get(session)?.ranges ?? [];
      const around = known.find((range) => range.first <= first && range.last >= first);
      if (around !== undefined && around.last >= last) continue;
      return `${session}.${around === undefined ? first : around.last + 1}`;
    }
  }
  return undefined;
}
