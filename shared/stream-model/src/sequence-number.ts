declare const brand: unique symbol;

/**
 * Name of a record within one shard: a decimal string of up to 129 digits (56 in practice), rising with
 * time, with gaps. Nothing may be derived from its digits, and two shards may hold equal ones.
 */
export type SequenceNumber = string & { readonly [brand]: 'SequenceNumber' };

// Kinesis API reference, SequenceNumber: pattern 0|([1-9]\d{0,128}) (read 2026-11).
const SEQUENCE_NUMBER = /^(?:0|[1-9]\d{0,128})$/;

export function isSequenceNumber(text: string): text is SequenceNumber {
  return SEQUENCE_NUMBER.test(text);
}

/** Throws RangeError when `text` is not a legal sequence number. */
export function sequenceNumber(text: string): SequenceNumber {
  if (!isSequenceNumber(text)) {
    throw new RangeError(`not a sequence number: ${JSON.stringify(text.slice(0, 140))}`);
  }
  return text;
}

/**
 * Order of two sequence numbers of ONE shard: negative when `a` came first, 0 when equal. Compares by length,
 * then by text, because the numbers exceed what a double or a DynamoDB number holds.
 */
export function compareSequenceNumbers(a: SequenceNumber, b: SequenceNumber): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Text whose plain string order is the order of sequence numbers: three digits of length, then the number. */
export function sortableSequenceNumber(number: SequenceNumber): string {
  return `${String(number.length).padStart(3, '0')}:${number}`;
}

/** Inverse of {@link sortableSequenceNumber}. Throws RangeError on any other text. */
export function fromSortableSequenceNumber(text: string): SequenceNumber {
  const number = sequenceNumber(text.slice(4));
  if (sortableSequenceNumber(number) === text) return number;
  throw new RangeError(`not a sortable sequence number: ${JSON.stringify(text)}`);
}
