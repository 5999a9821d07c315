import type { PageKey } from './event-store.ts';

/** Chain order: negative when `a` stands before `b`. */
export function comparePageKeys(a: PageKey, b: PageKey): number {
  return a.arrivalMaxBefore - b.arrivalMaxBefore || a.page - b.page;
}

/** Key of the page that follows a state in its device's chain. */
export function nextPageKey(state: { readonly arrivalMax: number; readonly page: number }): PageKey {
  return { arrivalMaxBefore: state.arrivalMax, page: state.page + 1 };
}
