import {
  type DeviceState,
  type EventPage,
  foldPage,
  newDevice,
  STATE_RECEIPT_LIMITS,
} from '@twinstream/device-model';
import { DEVICE } from '@twinstream/test-kit';
import { canonicalText } from '@twinstream/verification';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { missingRuns } from '../../../src/replay/repair/missing-run.ts';
import { restoredPages } from '../../../src/replay/repair/restore-pages.ts';
import { recordedDevice, writeRecorded } from '../../recorded-device.ts';

function fold(pages: readonly EventPage[]): DeviceState {
  return pages.reduce((state, page) => foldPage(state, page), newDevice(DEVICE));
}

function inOrder(pages: readonly EventPage[]): readonly EventPage[] {
  return [...pages].sort((a, b) => a.page - b.page);
}

/** Event by event: where it lies, what it says, and what was decided of it. */
function eventsOf(pages: readonly EventPage[]): string {
  return canonicalText(
    pages.flatMap(({ shardId, events }) => events.map((event) => ({ shardId, ...event }))),
  );
}

describe('restored pages', () => {
  test('one that is missing alone comes out as it was', async () => {
    await fc.assert(
      fc.asyncProperty(recordedDevice, fc.nat(), async (device, drawn) => {
        const { source, pages, state } = await writeRecorded(device);
        const lost = pages[drawn % pages.length];
        const left = pages.filter((page) => page !== lost);
        const runs = missingRuns(left, state.page);
        const restored = await restoredPages(
          { deviceId: DEVICE, pages: left, unreadable: [], runs, live: state },
          source,
          STATE_RECEIPT_LIMITS,
        );
        expect(restored).toEqual([lost]);
      }),
      { numRuns: 400 },
    );
  });

  test('any that are missing give the same events, versions, order, numbers and head', async () => {
    await fc.assert(
      fc.asyncProperty(
        recordedDevice,
        fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
        async (device, kept) => {
          const { source, pages, state } = await writeRecorded(device);
          const left = pages.filter((_, index) => kept[index]);
          const runs = missingRuns(left, state.page);
          const restored = await restoredPages(
            { deviceId: DEVICE, pages: left, unreadable: [], runs, live: state },
            source,
            STATE_RECEIPT_LIMITS,
          );
          const whole = inOrder([...left, ...restored]);
          expect(whole.map(({ page }) => page)).toEqual(pages.map(({ page }) => page));
          expect(eventsOf(whole)).toEqual(eventsOf(pages));
          expect(canonicalText(fold(whole))).toEqual(canonicalText(state));
        },
      ),
      { numRuns: 400 },
    );
  });

  test('nothing is restored from a source that lacks an event which the device is known to have sent', async () => {
    await fc.assert(
      fc.asyncProperty(recordedDevice, fc.nat(), fc.nat(), async (device, drawn, drawnEvent) => {
        const { source, pages, state } = await writeRecorded(device);
        const lost = pages[drawn % pages.length];
        const gone = lost?.events[drawnEvent % lost.events.length];
        fc.pre(gone?.event.identity !== undefined);
        const left = pages.filter((page) => page !== lost);
        // With the event its duplicates are gone too, or one of them would stand for it.
        const { counter } = gone?.event.identity ?? {};
        const poorer = source.filter(({ arrived }) => arrived.event.identity?.counter !== counter);
        const runs = missingRuns(left, state.page);
        await expect(
          restoredPages(
            { deviceId: DEVICE, pages: left, unreadable: [], runs, live: state },
            poorer,
            STATE_RECEIPT_LIMITS,
          ),
        ).rejects.toMatchObject({ code: 'PAGES_NOT_RESTORABLE' });
      }),
      { numRuns: 300 },
    );
  });
});
