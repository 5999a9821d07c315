/*
 * Items of a state, and of the baseline, by the bytes of an event. Measured on 2026-12-01 with simulated devices of all kinds, as the pages:
 * a state took 475 bytes at 142 a report, 566 at 242, 835 at 591, 1,144 at 986. An event of its own as the baseline handler puts it, with its
 * position and its data as a map, took 246 bytes at 171, and less than 1,024 at 990; its state has no more than the readings. A test holds all of them to what DynamoDB Local bills.
 */
export const STATE = { itemBytes: 363, share: 0.79 } as const;

/** Item of a device whose reports all name the same attributes, which is the least it can be. */
export function stateBytesOf(eventBytes: number): number {
  return STATE.itemBytes + STATE.share * eventBytes;
}
