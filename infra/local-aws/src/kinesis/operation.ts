import type { Clock, Logger } from '@twinstream/runtime';
import type { RequestFaults } from '../faults/fault-rule.ts';
import type { Account } from './account.ts';
import type { ActiveSubscriptions } from './active-subscriptions.ts';
import type { CountersInUse } from './kinesis-counters.ts';
import { readRequest, type Shape, type WireValues } from './request-shape.ts';
import type { StreamStore } from './stream-store.ts';
import type { SubscriptionEvent } from './subscription-event.ts';
import type { Members, RecordsAnswer } from './wire-format.ts';

/** What operations work on. */
export interface KinesisService {
  readonly store: StreamStore;
  readonly subscriptions: ActiveSubscriptions;
  readonly account: Account;
  readonly region: string;
  readonly accountId: string;
  /** False switches the per-second limits of shards off. */
  readonly limitsEnforced: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly counters: CountersInUse;
  readonly logger: Logger;
}

export type Answer =
  | { readonly kind: 'empty' }
  | { readonly kind: 'members'; readonly members: Members }
  | { readonly kind: 'records'; readonly records: RecordsAnswer }
  /** Events until they end, or until `stop` aborts. */
  | { readonly kind: 'events'; readonly events: (stop: AbortSignal) => AsyncIterable<SubscriptionEvent> };

export const EMPTY: Answer = { kind: 'empty' };

export function membersAnswer(members: Members): Answer {
  return { kind: 'members', members };
}

/** An operation of the API. It takes effect immediately and as a whole, or throws an ApiError. */
export interface Operation {
  /** Reads the request, which throws when it is not one; the result carries it out. */
  prepare(body: unknown, wire: WireValues): (service: KinesisService, faults?: RequestFaults) => Answer;
}

export function operation<Input>(
  shape: Shape<Input>,
  run: (service: KinesisService, input: Input, faults?: RequestFaults) => Answer,
): Operation {
  return {
    prepare: (body, wire) => {
      const input = readRequest(shape, body, wire);
      return (service, faults) => run(service, input, faults);
    },
  };
}
