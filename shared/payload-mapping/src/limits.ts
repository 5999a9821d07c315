import { ENTRY_ITEMS_MAX } from '@twinstream/device-model';

/**
 * Limits of a mapping document and of what one record may cost. They bound the time of a record whatever the mapping
 * and whatever the payload; the fuzz test holds the code to it.
 */
export const MAPPING_LIMITS = {
  /** A mapping document as text. */
  documentCharactersMax: 256 * 1024,
  mappingsMax: 32,
  rulesMax: 64,
  conditionsMax: 16,
  stepsMax: 16,
  /** Parts of `concat`, `sum`, `first` and `merge`. */
  partsMax: 64,
  /** Members of `object`, `rename`, `enum`; names of `pick` and `drop`. */
  membersMax: 256,
  /** Values inside values. */
  valueDepthMax: 8,
  nameCharactersMax: 64,
  pathCharactersMax: 256,
  patternCharactersMax: 256,
  expressionCharactersMax: 1_024,
  /** Calls inside calls of an expression. */
  expressionDepthMax: 16,
} as const;

export const RECORD_LIMITS = {
  /** Of a payload, decompressed. A record of a stream holds 1 MiB (see `stream-model`), 10 MiB where the stream allows it. */
  payloadBytesMax: 4 * 1024 * 1024,
  /** Levels of arrays and objects of a payload. */
  depthMax: 64,
  /** Events, rejected and ignored items of one record. */
  itemsMax: ENTRY_ITEMS_MAX,
  /** Text of all events that one record becomes. */
  outputCharactersMax: 4 * 1024 * 1024,
  /** A text that a pattern is applied to; a longer one does not match. */
  patternInputCharactersMax: 256,
  /**
   * Numbers of a JSON text in which one has an exponent, or more digits than a double surely holds: each is looked at in its
   * own words, which takes some 3 µs.
   */
  exactNumbersMax: 50_000,
  /**
   * Work units of one record. A unit is an access, a member or 64 characters, measured below 0.2 µs on one core in 2026:
   * a mapping takes 100 ms at most, after the decoding of its payload, which the limits above bound.
   */
  workMax: 500_000,
} as const;

/** Units that a number costs which is looked at in its own words. */
export const UNITS_PER_NUMBER = 15;

/** Characters that cost one unit of work. */
export const CHARACTERS_PER_UNIT = 64;
