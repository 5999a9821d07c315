import { RECORD_LIMITS } from './limits.ts';
import { MappingFault } from './mapping-fault.ts';
import type { PayloadObject, PayloadValue } from './payload-value.ts';

/** What the values of a mapping are read from, for one item of one record. */
export interface Scope {
  payload: PayloadValue;
  /** What the payload was unwrapped from; the payload itself where it was not. */
  readonly envelope: PayloadValue;
  /** The payload, or one of its parts where the rule has `each`. */
  item: PayloadValue;
  /** Members that earlier items of the record set, where the rule carries them. */
  carried: PayloadObject;
  /** `partitionKey`, `arrivalTime` (milliseconds since 1970), `format`. */
  readonly record: PayloadObject;
  /** Name of the item where `each` runs over members. */
  key: string | undefined;
  /** Number of the item in the record, from 0. */
  index: number;
  /** Units of work spent on the record. */
  work: number;
}

/** Spends work, and ends the event where the record has none left. */
export function spend(scope: Scope, units: number, at: string): void {
  scope.work += units;
  if (scope.work > RECORD_LIMITS.workMax) {
    throw new MappingFault('mapping-limit', at, `more than ${RECORD_LIMITS.workMax} units of work`);
  }
}
