import { type DeviceEvent, deviceId } from '@twinstream/device-model';
import type { Delivery, SmallModel } from './small-model.ts';

const DEVICE = deviceId('device-0');

/** An event whose value is said once, so that equal states mean equal events. */
const said = (name: string, value: string): DeviceEvent => ({
  v: 1,
  deviceId: DEVICE,
  type: 'reported',
  time: '2026-01-01T00:00:00.000Z',
  data: { [name]: value },
});
const counted = (counter: number): DeviceEvent => ({
  ...said('a', `counted ${counter}`),
  identity: { session: 1, counter },
});
const uncounted = (number: number): DeviceEvent => said('a', `uncounted ${number}`);
const correction: DeviceEvent = {
  ...said('a', 'corrected'),
  type: 'corrected',
  correction: {
    correctionId: 'c1',
    reason: 'wrong',
    actor: 'operator',
    corrects: { session: 1, counter: 1 },
  },
};

const given = (from: number, to: number, shard = 1): Delivery => ({ shard, from, to });
/** One worker goes on in two batches while the other is given everything again in one. */
const OVERLAPPING = [[given(1, 2), given(3, 3)], [given(1, 3)]];
/** Both are given everything in one batch. */
const AT_ONCE = [[given(1, 3)], [given(1, 3)]];
const LIMITS = { faultsMax: 1, eventsPerPageMax: 3, pagesPerSnapshot: 1_000 };

/** Three events of one device and two workers, in every way that matters, smallest first. */
export const SMALL_MODELS: readonly SmallModel[] = [
  {
    ...LIMITS,
    name: 'the same batch twice, no fault',
    shards: [[counted(1), counted(2), counted(3)]],
    workers: AT_ONCE,
    faultsMax: 0,
  },
  {
    ...LIMITS,
    name: 'counted',
    shards: [[counted(1), counted(2), counted(3)]],
    workers: OVERLAPPING,
  },
  {
    ...LIMITS,
    name: 'counted, by statements',
    shards: [[counted(1), counted(2), counted(3)]],
    workers: AT_ONCE,
    writesInBatches: true,
  },
  {
    ...LIMITS,
    name: 'a duplicate among them',
    shards: [[counted(1), counted(2), counted(2)]],
    workers: OVERLAPPING,
  },
  {
    ...LIMITS,
    name: 'one late',
    shards: [[counted(1), counted(3), counted(2)]],
    workers: OVERLAPPING,
  },
  {
    ...LIMITS,
    name: 'uncounted',
    shards: [[uncounted(1), uncounted(2), uncounted(3)]],
    workers: OVERLAPPING,
  },
  {
    ...LIMITS,
    name: 'one uncounted',
    shards: [[counted(1), uncounted(1), counted(2)]],
    workers: OVERLAPPING,
  },
  {
    ...LIMITS,
    name: 'one corrected',
    shards: [[counted(1), correction, counted(2)]],
    workers: OVERLAPPING,
  },
  {
    ...LIMITS,
    name: 'an invalid record',
    shards: [[counted(1), undefined, counted(2)]],
    workers: [[given(1, 3)], [given(1, 1)]],
  },
  {
    ...LIMITS,
    name: 'two to a page',
    shards: [[counted(1), counted(2), counted(3)]],
    workers: OVERLAPPING,
    eventsPerPageMax: 2,
  },
  {
    ...LIMITS,
    name: 'a snapshot with every page',
    shards: [[counted(1), counted(2), counted(3)]],
    workers: AT_ONCE,
    pagesPerSnapshot: 1,
  },
  {
    ...LIMITS,
    name: 'sibling shards, counted',
    shards: [
      [counted(1), counted(3)],
      [counted(1), counted(2)],
    ],
    workers: [[given(1, 1), given(2, 2)], [given(1, 2, 2)]],
  },
  {
    ...LIMITS,
    name: 'sibling shards, uncounted',
    shards: [[uncounted(1), uncounted(2)], [uncounted(3)]],
    workers: [[given(1, 1), given(1, 2)], [given(1, 1, 2)]],
  },
];
