/** What stands under number 0: nothing. */
export const NONE = 0;

/** Values by number, each held once, for as long as something refers to it. Numbers are given again once they are free. */
export interface InternTable<Value> {
  /** Above every number that stands for a value. */
  readonly numbersEnd: number;
  /** The number of the value of this key, with one more reference to it; a key that is new makes its value. */
  take(key: string): number;
  /** Takes one reference back. */
  release(number: number): void;
  /** The value of a number that has a reference. */
  at(number: number): Value;
  /** All that have a reference. */
  entries(): Iterable<readonly [number: number, value: Value]>;
  /** The number of a key, or {@link NONE} where nothing refers to it. Adds no reference. */
  numberOf(key: string): number;
}

export function createInternTable<Value>(make: (key: string) => Value): InternTable<Value> {
  const numbers = new Map<string, number>();
  const keys: (string | undefined)[] = [undefined];
  const values: (Value | undefined)[] = [undefined];
  const references: number[] = [0];
  const free: number[] = [];
  return {
    get numbersEnd() {
      return keys.length;
    },
    take: (key) => {
      const known = numbers.get(key);
      if (known !== undefined) {
        references[known] = (references[known] ?? 0) + 1;
        return known;
      }
      const number = free.pop() ?? keys.length;
      keys[number] = key;
      values[number] = make(key);
      references[number] = 1;
      numbers.set(key, number);
      return number;
    },
    release: (number) => {
      if (number === NONE) return;
      const left = (references[number] ?? 0) - 1;
      references[number] = left;
      const key = keys[number];
      if (left > 0 || key === undefined) return;
      numbers.delete(key);
      keys[number] = undefined;
      values[number] = undefined;
      free.push(number);
    },
    at: (number) => {
      const value = values[number];
      if (value === undefined) throw new RangeError(`nothing stands under number ${number}`);
      return value;
    },
    entries: function* () {
      for (const number of numbers.values()) {
        const value = values[number];
        if (value !== undefined) yield [number, value];
      }
    },
    numberOf: (key) => numbers.get(key) ?? NONE,
  };
}
