import { PAGE_LIMITS, type PageLimits } from '@twinstream/device-model';

export interface PageWriting {
  readonly pageLimits: PageLimits;
  /** A snapshot is written after every page whose number is a multiple of it. */
  readonly pagesPerSnapshot: number;
}

/** How pages are laid out: as the projector does by default, so that both write the same chains. */
export const PAGE_WRITING: PageWriting = { pageLimits: PAGE_LIMITS, pagesPerSnapshot: 100 };
