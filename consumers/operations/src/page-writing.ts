import { PAGE_LIMITS } from '@twinstream/device-model';

/** How pages are laid out: as the projector does by default, so that both write the same chains. */
export const PAGE_WRITING = { pageLimits: PAGE_LIMITS, pagesPerSnapshot: 100 } as const;
