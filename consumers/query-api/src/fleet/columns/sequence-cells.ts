import { compareSequenceNumbers, type SequenceNumber } from '@twinstream/stream-model';

/** Decimal digits that a double holds to the last. */
const CELL_DIGITS = 15;
/** Cells of one sequence number: 60 digits, where AWS has 56 in practice. */
export const SEQUENCE_CELLS = 4;
const DIGITS_MAX = CELL_DIGITS * SEQUENCE_CELLS;

/** Whether the number is held in cells. One that is longer is held as a text, whose number stands in the first cell as a negative. */
export function fitsCells(number: SequenceNumber): boolean {
  return number.length <= DIGITS_MAX;
}

/** The digits of one cell; cell 0 has the first digits. */
export function sequenceCell(number: SequenceNumber, cell: number): number {
  const end = number.length - CELL_DIGITS * (SEQUENCE_CELLS - 1 - cell);
  return end <= 0 ? 0 : Number(number.slice(Math.max(0, end - CELL_DIGITS), end));
}

export function sequenceCells(number: SequenceNumber): number[] {
  return Array.from({ length: SEQUENCE_CELLS }, (_, cell) => sequenceCell(number, cell));
}

/** Inverse of {@link sequenceCell} for each cell. */
export function readSequence(
  cellOf: (cell: number) => number,
  textOf: (number: number) => string,
): SequenceNumber {
  const first = cellOf(0);
  if (first < 0) return textOf(-first) as SequenceNumber;
  let digits = '';
  for (let cell = 0; cell < SEQUENCE_CELLS; cell += 1) {
    digits += String(cellOf(cell)).padStart(CELL_DIGITS, '0');
  }
  return (digits.replace(/^0+/, '') || '0') as SequenceNumber;
}

/** Order of a held number and another of the same shard: negative where the held one came first. */
export function compareToSequence(
  cellOf: (cell: number) => number,
  textOf: (number: number) => string,
  other: SequenceNumber,
  otherCells: readonly number[],
): number {
  if (cellOf(0) < 0 || !fitsCells(other)) return compareSequenceNumbers(readSequence(cellOf, textOf), other);
  for (let cell = 0; cell < SEQUENCE_CELLS; cell += 1) {
    const difference = cellOf(cell) - (otherCells[cell] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
