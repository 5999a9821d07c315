import type { EventSource, PlannedEvent } from '../sending/planned-event.ts';

/**
 * The same source with its first event taken already, so that what is wrong with it shows before anything is sent.
 * `whenEmpty` is called where there is none, and may throw what is wrong then.
 */
export async function primedSource(
  source: EventSource,
  whenEmpty: () => void = () => undefined,
): Promise<EventSource> {
  let first: PlannedEvent | undefined;
  try {
    first = await source.next();
    if (first === undefined) whenEmpty();
  } catch (error) {
    await source.close();
    throw error;
  }
  let isFirst = true;
  return {
    next() {
      if (!isFirst) return source.next();
      isFirst = false;
      const planned = first;
      first = undefined;
      return planned;
    },
    close: () => source.close(),
  };
}
