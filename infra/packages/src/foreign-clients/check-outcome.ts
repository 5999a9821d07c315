/** The outcome of a check: what was seen, or why it could not be done here. A check that fails throws. */
export type CheckOutcome =
  | { readonly kind: 'passed'; readonly seen: string }
  | { readonly kind: 'skipped'; readonly reason: string };

/** The last line of what a command wrote before it failed. */
export function lastWords(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split('\n').at(-1) ?? text;
}

/** Throws unless each key has the numbers from 0 up to `each`, in that order and once. */
export function requireInOrder(
  who: string,
  numbersByKey: ReadonlyMap<string, readonly number[]>,
  wanted: { readonly keys: number; readonly each: number },
): void {
  if (numbersByKey.size !== wanted.keys) {
    throw new Error(`${who}: ${numbersByKey.size} of ${wanted.keys} keys arrived`);
  }
  for (const [key, numbers] of numbersByKey) {
    if (numbers.length === wanted.each && numbers.every((number, index) => number === index)) continue;
    throw new Error(`${who}: ${key} arrived as ${numbers.join(' ')}`);
  }
}
