import { isJsonObject, keepWords } from '@twinstream/device-model';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * What a transformation made of a rejected record, every member that it did not touch in the record's own words: a module
 * or a tool beside this one reads numbers into doubles and writes others. `rounded`: a number that no double holds was
 * moved or copied and is another one now; its own words. Where either is not a JSON object, what was made stands as it is.
 */
export function keepUntouched(
  before: Uint8Array,
  made: Uint8Array,
): { readonly data: Uint8Array } | { readonly rounded: string } {
  const [own, other] = [objectText(before), objectText(made)];
  if (own === undefined || other === undefined) return { data: made };
  const kept = keepWords(own, other);
  return 'rounded' in kept ? kept : { data: encoder.encode(kept.text) };
}

function objectText(bytes: Uint8Array): string | undefined {
  try {
    const text = decoder.decode(bytes);
    return isJsonObject(JSON.parse(text)) ? text : undefined;
  } catch {
    return undefined;
  }
}
