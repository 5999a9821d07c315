import type { JsonValue } from '@twinstream/device-model';

/** An invalid row. */
export interface BadRow {
  /** Number of its first line, from 1. */
  readonly line: number;
  /** What is wrong with it, for people; of the row itself it quotes a short piece at most. */
  readonly reason: string;
}

export function isBadRow<T extends object>(row: T | BadRow): row is BadRow {
  return 'reason' in row;
}

/** Which columns say what. Names as the header has them, without blanks around them. */
export interface RowColumns {
  readonly id: string;
  readonly time: string;
  /** Where it is absent or its cell empty, the type is `reported`. */
  readonly type?: string;
  /** With `counter`: the identity that the devices gave themselves. */
  readonly session?: string;
  readonly counter?: string;
}

/** A row whose columns are told apart: what becomes an event when it passes. */
export interface FlatRow {
  readonly line: number;
  readonly id: string;
  readonly time: string;
  readonly type: string;
  readonly session: string | undefined;
  readonly counter: string | undefined;
  /** All other columns, by name. */
  readonly data: Readonly<Record<string, JsonValue>>;
}

const QUOTED_CHARACTERS_MAX = 40;

/** A piece of a row for a message: short, on one line. */
export function quoted(text: string): string {
  const short = text.length > QUOTED_CHARACTERS_MAX ? `${text.slice(0, QUOTED_CHARACTERS_MAX)}…` : text;
  return JSON.stringify(short.toWellFormed());
}
