import type { DeviceId, EventPage } from '@twinstream/device-model';
import type { ReplayJob } from '@twinstream/operations';
import type { Random } from '@twinstream/test-kit';
import { canonicalText } from '@twinstream/verification';
import type { Oracle } from '../oracle.ts';
import { isOutOfOrder } from '../restoration.ts';
import { Violation } from '../violation.ts';
import type { DamageableTables } from './damage.ts';
import type { Surroundings } from './surroundings.ts';

export const DAMAGE_KINDS = ['pages', 'neighbouring pages', 'states', 'a whole device'] as const;
export type DamageKind = (typeof DAMAGE_KINDS)[number];

/** What must be right again after a repair. */
export interface Restoration {
  check(job: ReplayJob): Promise<void>;
}

/** Damages the live tables, and tells the oracle. */
export async function doDamage(
  { oracle, random, isPromoted }: Pick<Surroundings, 'oracle' | 'random' | 'isPromoted'>,
  tables: DamageableTables,
  kind: DamageKind,
  count: (name: string) => void,
): Promise<Restoration> {
  const devices = [...oracle.pages.keys()];
  if (devices.length === 0) return { check: async () => undefined };
  const deviceId = random.pick(devices);
  const pages = oracle.pages.get(deviceId) ?? [];
  if (kind === 'pages' || kind === 'neighbouring pages') {
    const numbers = drawPages(random, pages.length, kind);
    await tables.deletePages(deviceId, (page) => numbers.includes(page));
    oracle.onDelete(deviceId, numbers);
    for (const _ of numbers) count('deleted page');
    const deleted = pages.filter(({ page }) => numbers.includes(page));
    return { check: (job) => checkPages({ oracle, isPromoted }, tables, deleted, job, count) };
  }
  if (kind === 'states') await alterState(oracle, random, tables, deviceId, count);
  else {
    await tables.lose(deviceId);
    oracle.forget(deviceId);
    count('lost device');
  }
  return {
    check: async (job) => {
      checkWhole(oracle, deviceId, job);
    },
  };
}

/** Every state stands at the end of its chain, and nothing is left undone. */
function checkWhole(oracle: Oracle, deviceId: DeviceId, { failures }: ReplayJob): void {
  if (failures.length > 0 || oracle.damaged.length > 0) {
    throw new Violation('a repair restores what is missing', `${deviceId}: ${JSON.stringify(failures)}`);
  }
  if (oracle.statePage(deviceId) !== (oracle.pages.get(deviceId)?.length ?? 0)) {
    throw new Violation('a repair restores altered states', deviceId);
  }
}

async function checkPages(
  { oracle, isPromoted }: Pick<Surroundings, 'oracle' | 'isPromoted'>,
  tables: DamageableTables,
  deleted: readonly EventPage[],
  job: ReplayJob,
  count: (name: string) => void,
): Promise<void> {
  const [first] = deleted;
  if (first === undefined) return;
  const { deviceId } = first;
  const areDeleted = deleted.every(({ page }) => oracle.isDeleted(deviceId, page));
  if (job.failureCount > 0 && areDeleted && mayBeRefused(oracle, deleted, isPromoted)) {
    for (const page of deleted) await tables.eventStore.appendPage(page);
    oracle.onPutBack(deviceId);
    count('refused restoration');
    return;
  }
  checkWhole(oracle, deviceId, job);
  // Between restored neighbours, and after them where their duplicates count otherwise, these are not the fold any more.
  await tables.deleteSnapshots(
    deviceId,
    ({ state }) =>
      state.page >= first.page &&
      deleted.length > 1 &&
      canonicalText(state) !== canonicalText(oracle.stateAfter(deviceId, state.page)),
  );
}

/**
 * Among several that are missing, those which an operator, or a late delivery, had appended may fit in more than one place,
 * and so may those between which nothing but such pages lies. Where a state remembers fewer shards than its device has
 * met, the boundaries between pages decide what counted as late. In a chain that a replay wrote, by several processes
 * perhaps, that goes for a page that is missing alone, too.
 */
function mayBeRefused(oracle: Oracle, deleted: readonly EventPage[], isPromoted: boolean): boolean {
  const [first, last] = [deleted[0], deleted.at(-1)];
  if (first === undefined || last === undefined || (deleted.length === 1 && !isPromoted)) return false;
  const pages = oracle.pages.get(first.deviceId) ?? [];
  if (oracle.stateAfter(first.deviceId, pages.length).marksFloor !== undefined) return true;
  return pages.some(
    (page) =>
      page.page >= first.page &&
      page.page <= last.page &&
      (isOutOfOrder(pages, page) ||
        (deleted.includes(page) && page.events.some(({ repaired }) => repaired === true))),
  );
}

function drawPages(random: Random, pageCount: number, kind: DamageKind): readonly number[] {
  const first = 1 + random.integer(pageCount);
  if (kind === 'pages') return everyOther(random, first, pageCount);
  // No snapshot lies between an odd page and the next.
  const odd = first - ((first + 1) % 2);
  return odd === pageCount ? [odd] : [odd, odd + 1];
}

/** Pages of which no two are neighbours. */
function everyOther(random: Random, first: number, pageCount: number): readonly number[] {
  const numbers: number[] = [];
  for (let page = first; page <= pageCount; page += 2 + random.integer(4)) numbers.push(page);
  return numbers;
}

async function alterState(
  oracle: Oracle,
  random: Random,
  tables: DamageableTables,
  deviceId: DeviceId,
  count: (name: string) => void,
): Promise<void> {
  const page = oracle.pages.get(deviceId)?.length ?? 0;
  const state = oracle.stateAfter(deviceId, page);
  const how = random.pick(
    page > 1 ? (['gone', 'older', 'altered'] as const) : (['gone', 'altered'] as const),
  );
  if (how === 'gone') {
    await tables.alterState(deviceId, undefined);
    oracle.onAlter(deviceId, 0);
    count('deleted state');
    return;
  }
  const older = how === 'older' ? 1 + random.integer(page - 1) : page;
  const version = { session: 9, counter: 9, ordinal: 0, revision: 0 };
  const altered =
    how === 'older'
      ? oracle.stateAfter(deviceId, older)
      : { ...state, attributes: new Map([['a', { value: 'altered', version }]]) };
  await tables.alterState(deviceId, altered);
  oracle.onAlter(deviceId, older - 1);
  count('altered state');
}
