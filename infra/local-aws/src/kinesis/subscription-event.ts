import type { ApiError } from './api-error.ts';
import type { RecordsAnswer } from './wire-format.ts';

export type SubscriptionEvent =
  | { readonly kind: 'records'; readonly records: RecordsAnswer }
  /** Ends the subscription with an error. */
  | { readonly kind: 'refusal'; readonly error: ApiError };
