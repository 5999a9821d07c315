/** The emulators that can be made to fail. */
export const FAULT_SERVICES = ['kinesis', 'firehose', 'dynamodb', 's3', 'lambda'] as const;
export type FaultService = (typeof FAULT_SERVICES)[number];

/**
 * What goes wrong:
 * - `throttle`: the whole request is refused as AWS refuses one above its quota; it has no effect.
 * - `partial`: single records, or statements, of a batch are refused; the answer is a success that names them.
 * - `lost-answer`: the request takes effect, then its connection ends without an answer.
 * - `delay`: the request is served `delayMs` later.
 * - `error`: the whole request fails inside the service (HTTP 500); it has no effect.
 * - `expired-iterator`: GetRecords of Kinesis is refused as with an iterator of more than five minutes.
 */
export const FAULT_KINDS = [
  'throttle',
  'partial',
  'lost-answer',
  'delay',
  'error',
  'expired-iterator',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** One fault to inject. */
export interface FaultRule {
  readonly service: FaultService;
  /** The API's name of the operation, `PutRecords`; every operation of the service when absent. */
  readonly operation?: string;
  readonly kind: FaultKind;
  /** Share that is struck, 0 to 1: of requests, and of records where the kind is `partial`. */
  readonly rate: number;
  /** How much later a `delay` serves the request, in milliseconds. */
  readonly delayMs?: number;
  /** Start of this rule's own draws, so that one seed produces the same faults for the same requests. */
  readonly seed?: number;
  /** The rule strikes at most so often (requests, or records of `partial`), then never again. */
  readonly count?: number;
}

/** What strikes one request. Nothing of it counts as injected that the service does not ask for. */
export interface RequestFaults {
  /** Milliseconds to wait before the request is served; 0 when no delay strikes. */
  readonly delayMs: number;
  /** The request must be refused as a whole, without any effect. */
  readonly refusal: 'throttle' | 'error' | undefined;
  /** The request's iterator must be refused as expired. */
  readonly iteratorExpired?: true;
  /** The request must take effect and its connection then end without an answer. */
  readonly answerLost: boolean;
  /**
   * Draws for the next record of a batch, once for each in the order of the request; true when that record must
   * fail. Undefined when no `partial` rule names the operation.
   */
  readonly recordFails: (() => boolean) | undefined;
}

/** What an emulator asks about each request that it understood, once, before it does anything. */
export interface FaultInjector {
  /** Faults of this request, drawn now; undefined when none strikes, the usual case. */
  decide(service: FaultService, operation: string): RequestFaults | undefined;
}
