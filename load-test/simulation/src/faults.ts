/** What can go wrong with a request. */
export const FAULT_KINDS = [
  /** Refused without effect. */
  'throttle',
  /** It took effect; the answer never came. */
  'lost-answer',
  /** The client gave up; it takes effect later. */
  'late-landing',
  /** The answer was lost and the client library asked again by itself. */
  'asked-twice',
  /** The process dies before the request leaves. */
  'crash-before',
  /** The process dies after the request took effect. */
  'crash-after',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Probability of each kind for one request. */
export type FaultRates = Readonly<Record<FaultKind, number>>;

export const NO_FAULTS: FaultRates = {
  throttle: 0,
  'lost-answer': 0,
  'late-landing': 0,
  'asked-twice': 0,
  'crash-before': 0,
  'crash-after': 0,
};
