import { PAGE_LIMITS, type PageLimits } from '@twinstream/device-model';

/** How pages and snapshots are laid out. The projector, a repair and a copy into fresh tables write the same chains. */
export interface PageWriting {
  readonly pageLimits: PageLimits;
  /** A snapshot is written after every page whose number is a multiple of it. */
  readonly pagesPerSnapshot: number;
}

export const PAGES_PER_SNAPSHOT = 100;
export const PAGES_PER_SNAPSHOT_MAX = 100_000;

export const PAGE_WRITING: PageWriting = { pageLimits: PAGE_LIMITS, pagesPerSnapshot: PAGES_PER_SNAPSHOT };
