/*
 * Items of a state, and of the baseline, by the bytes of an event. Measured on 2026-11-27 with simulated devices of all kinds, as the pages:
 * a state took 602 bytes at 141 a report, 754 at 243, 1,275 at 594, 1,870 at 991. An event of its own as the baseline handler puts it, with its
 * position and its data as a map, took 246 bytes at 171, and less than 1,024 at 990; its state has no more than the readings. A test holds all of them to what DynamoDB Local bills.
 */
export const STATE = { itemBytes: 390, share: 1.5 } as const;

/** Item of a device whose reports all name the same attributes, which is the least it can be. */
export function stateBytesOf(eventBytes: number): number {
  return STATE.itemBytes + STATE.share * eventBytes;
}
