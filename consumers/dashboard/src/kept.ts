// Where the browser bars storage, what would be kept lives as long as the page, and nothing else changes.
const unkept = new Map<string, string>();

type Store = 'localStorage' | 'sessionStorage';

/** What was kept under a key; undefined where nothing was. */
export function readKept(store: Store, key: string): string | undefined {
  try {
    return window[store].getItem(key) ?? undefined;
  } catch (error) {
    if (error instanceof DOMException) return unkept.get(key);
    throw error;
  }
}

/** Keeps a text under a key, or forgets it. */
export function keep(store: Store, key: string, text: string | undefined): void {
  try {
    if (text === undefined) window[store].removeItem(key);
    else window[store].setItem(key, text);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    if (text === undefined) unkept.delete(key);
    else unkept.set(key, text);
  }
}
