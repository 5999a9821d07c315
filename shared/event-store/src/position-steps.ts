import { type SequenceNumber, type ShardPosition, sequenceNumber } from '@twinstream/stream-model';

/*
 * Positions of one shard, each written as the step from the one before:
 *
 *   step     = [ difference ] [ ":" subSequenceNumber ]
 *
 * `difference` is that of the sequence numbers, as whole numbers in hexadecimal with an optional minus; absent where
 * they are equal. The sub-sequence number is written where it is not the obvious one: one more than before inside the
 * same record, 0 at the start of another. Sequence numbers have 56 digits, of which runs of zeros remain in the
 * difference; a run of 4 to 23 of them is written as one letter, g to z. Nothing is read into the digits.
 */
const ZERO_RUN_MIN = 4;
const ZERO_RUN_MAX = 23;
const ZERO_RUNS = new RegExp(`0{${ZERO_RUN_MIN},${ZERO_RUN_MAX}}`, 'g');
const LETTER_OF_SHORTEST_RUN = 'g'.charCodeAt(0);

const STEP = /^(?:(-?)([0-9a-z]+))?(?::(\d+))?$/;

/** Where steps begin. */
export const STEPS_ORIGIN: ShardPosition = { sequenceNumber: sequenceNumber('0'), subSequenceNumber: -1 };

export function stepBetween(before: ShardPosition, position: ShardPosition): string {
  const sameRecord = before.sequenceNumber === position.sequenceNumber;
  const obviousSub = sameRecord ? before.subSequenceNumber + 1 : 0;
  const sub = position.subSequenceNumber === obviousSub ? '' : `:${position.subSequenceNumber}`;
  return sameRecord ? sub : difference(before.sequenceNumber, position.sequenceNumber) + sub;
}

/** Throws RangeError for a text that is not a step from there. */
export function takeStep(before: ShardPosition, step: string): ShardPosition {
  const parts = STEP.exec(step);
  if (parts === null) throw new RangeError(`not a step between positions: ${JSON.stringify(step)}`);
  const [, minus, digits, sub] = parts;
  const same = digits === undefined;
  return {
    sequenceNumber: same ? before.sequenceNumber : add(before.sequenceNumber, minus === '-', digits),
    subSequenceNumber: sub === undefined ? (same ? before.subSequenceNumber + 1 : 0) : Number(sub),
  };
}

function difference(before: SequenceNumber, after: SequenceNumber): string {
  // Neighbours of one length begin alike for half of their digits, which the difference does not need.
  const equal = before.length === after.length ? equalDigits(before, after) : 0;
  const change = BigInt(after.slice(equal)) - BigInt(before.slice(equal));
  return change.toString(16).replace(ZERO_RUNS, letterOfRun);
}

function equalDigits(a: string, b: string): number {
  let count = 0;
  while (count < a.length && a.charCodeAt(count) === b.charCodeAt(count)) count += 1;
  return count;
}

function letterOfRun(run: string): string {
  return String.fromCharCode(LETTER_OF_SHORTEST_RUN + run.length - ZERO_RUN_MIN);
}

function add(before: SequenceNumber, isNegative: boolean, digits: string): SequenceNumber {
  const hex = digits.replace(/[g-z]/g, (letter) =>
    '0'.repeat(letter.charCodeAt(0) - LETTER_OF_SHORTEST_RUN + ZERO_RUN_MIN),
  );
  const change = BigInt(`0x${hex}`);
  return sequenceNumber((BigInt(before) + (isNegative ? -change : change)).toString());
}
