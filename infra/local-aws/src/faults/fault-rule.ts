/** Stand-ins that faults can be injected into. DynamoDB and S3 are reached through a proxy in front of their engine. */
export const FAULT_SERVICES = ['kinesis', 'firehose', 'dynamodb', 's3', 'lambda'] as const;
export type FaultService = (typeof FAULT_SERVICES)[number];

/**
 * What goes wrong:
 * - `throttle`: the request is refused with the service's own throttling error and has no effect.
 * - `partial`: one entry of a batch request fails inside a successful answer; drawn once per entry.
 * - `lost-answer`: the request takes full effect, then the connection is closed without an answer.
 * - `delay`: the request waits `delayMs` before it takes effect, also when its caller has given up meanwhile.
 * - `error`: the request is refused with the service's internal error and has no effect.
 */
export const FAULT_KINDS = ['throttle', 'partial', 'lost-answer', 'delay', 'error'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** One kind of fault, injected into a share of the requests that match. */
export interface FaultRule {
  readonly service: FaultService;
  /** Name of the API operation, such as `PutRecords`; every operation of the service when absent. */
  readonly operation?: string;
  readonly kind: FaultKind;
  /** Share of the matching requests (`partial`: entries) that fail, from 0 to 1. */
  readonly rate: number;
  /** How long `delay` waits, in milliseconds. */
  readonly delayMs?: number;
  /** Start of this rule's random draws; the same seed and the same requests give the same faults. */
  readonly seed?: number;
  /** The rule is spent after it has injected this many faults. */
  readonly count?: number;
}

/** Decides which requests fail. Asking counts as a draw, so each stand-in asks once per request and kind. */
export interface FaultInjector {
  /** False when no rule concerns the service, so that the ordinary path can skip everything else. */
  concerns(service: FaultService): boolean;
  /** The rule that strikes this request, or undefined when it is spared. */
  strike(service: FaultService, operation: string, kind: FaultKind): FaultRule | undefined;
}

/** An injector that never strikes. */
export const NO_FAULTS: FaultInjector = {
  concerns: () => false,
  strike: () => undefined,
};
