import { inexactNumbers, numberWords } from './json-number.ts';
import { isArrayText, isObjectText, jsonElements, jsonMembers, objectText } from './json-text.ts';

/** Levels that are compared; what lies deeper is taken as it was made. No event is so deep. */
const LEVELS_MAX = 64;

/**
 * JSON that somebody made of other JSON, every member and element that still means the same in the words that it had
 * before: a program that reads numbers into doubles changes nothing that it does not touch. What means the same is
 * decided by JSON.parse, which rounds as such programs do.
 *
 * `rounded` where a number that a double does not hold was moved or copied, rounded on the way: its own words are given.
 * Both texts must be JSON.
 */
export function keepWords(
  before: string,
  made: string,
): { readonly text: string } | { readonly rounded: string } {
  const inexact = new Map(inexactNumbers(before).map((words) => [Number(words), words]));
  const taken: string[] = [];
  const text = merge(before.trim(), made.trim(), 0, taken);
  for (const words of taken.flatMap(numberWords)) {
    const own = inexact.get(Number(words));
    if (own !== undefined && own !== words) return { rounded: own };
  }
  return { text };
}

/** `taken` collects what was made and has no counterpart. */
function merge(before: string, made: string, level: number, taken: string[]): string {
  if (before === made) return before;
  if (level < LEVELS_MAX) {
    if (isObjectText(before) && isObjectText(made)) return mergeObjects(before, made, level, taken);
    if (isArrayText(before) && isArrayText(made)) return mergeArrays(before, made, level, taken);
    if (isScalar(before) && isScalar(made) && JSON.parse(before) === JSON.parse(made)) return before;
  }
  taken.push(made);
  return made;
}

function mergeObjects(before: string, made: string, level: number, taken: string[]): string {
  const known = new Map(jsonMembers(before).map((member) => [member.name, member]));
  const makes = new Map(jsonMembers(made).map((member) => [member.name, member]));
  let isSame = known.size === makes.size;
  const members = [...makes.values()].map(({ name, start, valueStart, valueEnd }) => {
    const old = known.get(name);
    if (old === undefined) {
      isSame = false;
      taken.push(made.slice(valueStart, valueEnd));
      return made.slice(start, valueEnd);
    }
    const oldValue = before.slice(old.valueStart, old.valueEnd);
    const value = merge(oldValue, made.slice(valueStart, valueEnd), level + 1, taken);
    isSame &&= value === oldValue;
    return before.slice(old.start, old.valueStart) + value;
  });
  return isSame ? before : objectText(members);
}

function mergeArrays(before: string, made: string, level: number, taken: string[]): string {
  const known = jsonElements(before);
  let isSame = true;
  const elements = jsonElements(made).map((element, index) => {
    const old = known[index];
    const value = old === undefined ? element : merge(old, element, level + 1, taken);
    if (old === undefined) taken.push(element);
    isSame &&= value === old;
    return value;
  });
  return isSame && elements.length === known.length ? before : `[${elements.join(',')}]`;
}

function isScalar(text: string): boolean {
  return !isObjectText(text) && !isArrayText(text);
}
