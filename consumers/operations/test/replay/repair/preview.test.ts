import type { DeviceId } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import { previewStores } from '../../../src/replay/repair/preview-stores.ts';
import { runReplay } from '../../../src/replay/run-replay.ts';
import { countsText } from '../../../src/replay/show-replay.ts';
import { jobOf, memoryStores } from '../memory-replay.ts';
import { contentOf, damaged, entries, operatorOf, projected } from './damaged-stores.ts';

const signal = new AbortController().signal;

describe('the preview of a repair', () => {
  test('has the numbers that the repair then has, and changes nothing', async () => {
    const whole = await projected(entries);
    const stores = await damaged(
      whole,
      // One page alone of bus-0, neighbours of bus-1, the last of bus-2, nothing of bus-3 is left.
      ({ deviceId, page }) =>
        !(
          (deviceId === 'bus-0' && page === 2) ||
          (deviceId === 'bus-1' && (page === 2 || page === 3)) ||
          deviceId === 'bus-3'
        ),
      (deviceId) =>
        deviceId === 'bus-3' || deviceId === 'bus-4' ? 'gone' : deviceId === 'bus-5' ? 'kept' : 'old',
    );
    const services = await operatorOf(stores);
    const before = await contentOf(stores);
    const preview = { ...jobOf({ preview: 'repair' }), id: 'preview' };
    await runReplay(services, preview, signal);
    expect(await contentOf(stores)).toBe(before);
    const repair = jobOf({ target: 'repair' });
    await runReplay(services, repair, signal);
    expect(await contentOf(stores)).toBe(await contentOf(whole));
    expect(repair.repair).toMatchObject({ pagesMissing: 3, pagesRestored: 3, statesRestored: 4 });
    expect(preview.repair).toEqual(repair.repair);
    expect(preview.ledger).toEqual(repair.ledger);
    expect(preview.failures).toEqual(repair.failures);
  });

  test('speaks of what is to come', async () => {
    const whole = await projected(entries);
    const stores = await damaged(
      whole,
      ({ deviceId, page }) => !(deviceId === 'bus-0' && page === 2),
      () => 'old',
    );
    const services = await operatorOf(stores);
    const preview = { ...jobOf({ preview: 'repair' }), id: 'preview' };
    await runReplay(services, preview, signal);
    expect(countsText(preview)).toMatch(
      /nothing was changed[\s\S]*will restore 1 of 1 missing pages, will write \d of/,
    );
    const repair = jobOf({ target: 'repair' });
    await runReplay(services, repair, signal);
    expect(countsText(repair)).toContain('restored 1 of 1 missing pages');
  });

  test('of states from the event store has the numbers of the run, too', async () => {
    const stores = await damaged(
      await projected(entries),
      () => true,
      (deviceId) => (deviceId === 'bus-1' ? 'old' : 'kept'),
    );
    const services = await operatorOf(stores);
    const parts = [{ source: 'event-store' as const, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }];
    const preview = { ...jobOf({ preview: 'repair', parts }), id: 'preview' };
    await runReplay(services, preview, signal);
    const repair = jobOf({ target: 'repair', parts });
    await runReplay(services, repair, signal);
    expect(repair.repair.statesRestored).toBe(1);
    expect(preview.repair).toEqual(repair.repair);
    expect(preview.ledger).toEqual(repair.ledger);
  });

  test('refuses to hold more than it may', async () => {
    const whole = await projected(entries);
    const { eventStore } = previewStores(memoryStores(), 100);
    const pages = await Array.fromAsync(whole.eventStore.pages('bus-0' as DeviceId));
    const writing = (async () => {
      for (const page of pages) await eventStore.appendPage(page);
    })();
    await expect(writing).rejects.toMatchObject({ code: 'REPAIR_TOO_LARGE' });
  });
});
