import { batch, signal } from '@preact/signals';
import type { QuarantinedRecordJson } from '@twinstream/api-contract';
import { listQuarantine, type QuarantineQuery } from '../api/query-api.ts';
import type { Failure } from '../api/request.ts';
import { serverNow } from '../session/clock.ts';
import { noteAnswer, noteAsOf, noteFailure } from '../session/connection.ts';
import { startPoll } from '../session/poll.ts';

const POLL_MS = 10_000;
/** Records of one answer. */
const LIMIT = 100;

export const records = signal<readonly QuarantinedRecordJson[] | undefined>(undefined);
export const listFailure = signal<Failure | undefined>(undefined);
/** More records exist than are held. */
export const hasMore = signal(false);

let pages = 1;

/** Reads as many pages of the list as are shown; one more where `more` is said. */
export async function readRecords(query: QuarantineQuery, more = false, signal?: AbortSignal): Promise<void> {
  if (more) pages += 1;
  const read: QuarantinedRecordJson[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pages; page += 1) {
    const outcome = await listQuarantine(query, { limit: LIMIT, cursor }, signal);
    if (outcome.kind === 'aborted') return;
    if (outcome.kind !== 'answered') {
      listFailure.value = outcome;
      noteFailure(outcome);
      return;
    }
    read.push(...outcome.value.records);
    cursor = outcome.value.cursor;
    noteAnswer(outcome.serverTime);
    if (cursor === undefined) break;
  }
  batch(() => {
    records.value = read;
    hasMore.value = cursor !== undefined;
    listFailure.value = undefined;
    noteAsOf('quarantine', serverNow());
  });
}

/** Keeps the list fresh until it is closed. */
export function openQuarantine(query: QuarantineQuery): () => void {
  pages = 1;
  records.value = undefined;
  return startPoll({ everyMs: () => POLL_MS, run: (signal) => readRecords(query, false, signal) });
}
