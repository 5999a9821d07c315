import { type Rejection, rejection } from '@twinstream/device-model';
import type { AssembledEvent } from './compile-event.ts';
import { MappingFault } from './mapping-fault.ts';
import type { Scope } from './scope.ts';

/** What one record has become so far. */
export interface Outcome {
  readonly events: (AssembledEvent & { readonly item: number })[];
  readonly rejections: (Rejection & { readonly item: number; readonly at: string })[];
  /** Items that a rule ignores. */
  ignored: number;
  /** Characters of the events. */
  characters: number;
}

/** Maps a payload or an item, and leaves `scope.index` after the last item. */
export type Run = (scope: Scope, outcome: Outcome) => void;

/** Enters a fault as the rejection of the item, and ends the item. An exceeded limit ends the whole record: it is thrown on. */
export function runGuarded(run: Run, scope: Scope, outcome: Outcome): void {
  const item = scope.index;
  try {
    run(scope, outcome);
  } catch (error) {
    if (!(error instanceof MappingFault) || error.reason === 'mapping-limit') throw error;
    const { reason, at, message } = error;
    scope.index = item + 1;
    outcome.rejections.push({ item, at, ...rejection(reason, `${at}: ${message}`) });
  }
}
