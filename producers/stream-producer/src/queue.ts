/** First in, first out, in constant time: the items from `head` on. Plain data, because there is one in every lane. */
export interface Queue<T> {
  items: T[];
  head: number;
}

/** Taken items are dropped from the array once there are this many and they are more than half of it. */
const COMPACT_FROM = 512;

export const emptyQueue = <T>(): Queue<T> => ({ items: [], head: 0 });

export const queueSize = <T>(queue: Queue<T>): number => queue.items.length - queue.head;

export const first = <T>(queue: Queue<T>): T | undefined => queue.items[queue.head];

export const itemAt = <T>(queue: Queue<T>, index: number): T | undefined => queue.items[queue.head + index];

export function append<T>(queue: Queue<T>, item: T): void {
  queue.items.push(item);
}

/** Puts `items` before everything in the queue, in their order. */
export function prepend<T>(queue: Queue<T>, items: readonly T[]): void {
  queue.items = [...items, ...queue.items.slice(queue.head)];
  queue.head = 0;
}

/** Takes the first `count` items, or all when there are fewer. */
export function takeFirst<T>(queue: Queue<T>, count: number): T[] {
  const taken = queue.items.slice(queue.head, queue.head + count);
  queue.head += taken.length;
  forgetTaken(queue);
  return taken;
}

/** Takes everything after the first `count` items, which stay. */
export function takeAfter<T>(queue: Queue<T>, count: number): T[] {
  const taken = queue.items.splice(queue.head + count);
  forgetTaken(queue);
  return taken;
}

/** Drops the taken items from the array, when that is worth it; an empty queue holds none. */
function forgetTaken<T>(queue: Queue<T>): void {
  if (queue.head === queue.items.length) {
    queue.items = [];
    queue.head = 0;
  } else if (queue.head >= COMPACT_FROM && queue.head * 2 > queue.items.length) {
    queue.items = queue.items.slice(queue.head);
    queue.head = 0;
  }
}
