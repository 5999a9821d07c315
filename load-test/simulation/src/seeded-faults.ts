import { SEEDED_OPERATOR_FAULTS } from './operator/seeded-faults.ts';
import type { SeededFault } from './seed-fault.ts';
import { SEEDED_BATCH_FAULTS } from './seeded-batch-faults.ts';

const MODEL = 'shared/device-model/src';
const PROJECTION = 'shared/projection/src';
const PROJECTOR = 'consumers/state-projector/src';

export const SEEDED_FAULTS: readonly SeededFault[] = [
  {
    name: "the batch's own arrival in the page key",
    patches: [
      {
        file: `${MODEL}/plan-page.ts`,
        find: 'arrivalMaxBefore: this.#state.arrivalMax,',
        replace: 'arrivalMaxBefore: this.#firstArrivalTime,',
      },
    ],
  },
  {
    name: 'a form of the state that the release before misreads',
    foundAt: 14,
    patches: [
      {
        file: 'shared/latest-state/contract/former-state-item.ts',
        find: "  throw new CodedError('DAMAGED_STATE', `the state of",
        replace:
          "  if (item.page !== undefined) return { ...decodeState(item), arrivalMax: 0 };\n  throw new CodedError('DAMAGED_STATE', `the state of",
      },
    ],
  },
  {
    name: "the batch's own position in the page key",
    patches: [
      {
        file: `${MODEL}/plan-page.ts`,
        find: 'arrivalMaxBefore: this.#state.arrivalMax,',
        replace: 'arrivalMaxBefore: Number(this.#through.place.sequenceNumber),',
      },
    ],
  },
  {
    name: 'no condition on the page put',
    patches: [
      {
        file: 'shared/event-store/src/memory-event-store.ts',
        find: 'if (existing !== undefined && comparePageKeys(existing, page) === 0) {',
        replace: 'if (page.page < 0 && existing !== undefined) {',
      },
    ],
  },
  {
    name: 'state advanced before the page',
    patches: [
      {
        file: `${PROJECTION}/project-device.ts`,
        find: 'const existing = await this.#append(plan.page);',
        replace:
          'await this.#services.latestState.write(plan.next, this.#signal); const existing = await this.#append(plan.page);',
      },
    ],
  },
  {
    name: 'state written without its condition',
    foundAt: 7,
    patches: [
      {
        file: 'shared/latest-state/src/memory-latest-state.ts',
        find: 'existing.page >= state.page',
        replace: 'existing.page > Number.MAX_VALUE',
      },
    ],
  },
  {
    name: 'the cache filled before the state write',
    patches: [
      {
        file: `${PROJECTION}/project-device.ts`,
        find: 'const stateRejected = await chain.advanceState();',
        replace:
          'services.heads.put(durableHead(chain.head)); const stateRejected = await chain.advanceState();',
      },
      // Asking the table would make up for it.
      {
        file: `${PROJECTION}/project-device.ts`,
        find: 'if (known !== undefined && chain.head === known.state) {',
        replace: 'if (known !== undefined && chain.head.page < 0) {',
      },
    ],
  },
  {
    name: 'redelivery decided by position alone',
    patches: [
      {
        file: `${MODEL}/decide-event.ts`,
        find: "? 'below' : 'above';",
        replace: "? 'below' : 'above'; if (mark === 'below') return 'redelivered';",
      },
    ],
  },
  {
    name: 'positions compared across shards',
    patches: [
      {
        file: `${MODEL}/decide-event.ts`,
        find: 'const mark = marks.get(shardId);',
        replace: 'const mark = marks.get(shardId) ?? [...marks.values()][0];',
      },
    ],
  },
  {
    name: 'the range floor not kept',
    patches: [
      {
        file: `${MODEL}/receipts.ts`,
        find: 'known.floor = Math.max(known.floor ?? dropped.last, dropped.last);',
        replace: 'known.lowest = Math.min(known.lowest, dropped.first);',
      },
    ],
  },
  {
    name: 'counter ranges kept across a new session',
    patches: [
      {
        file: `${MODEL}/receipts.ts`,
        find: 'const { session, counter } = identity;',
        replace: 'const { counter } = identity; const session = 1;',
      },
      {
        file: `${MODEL}/receipts.ts`,
        find: "  { session, counter }: CountedIdentity,\n): 'received' | 'new' | 'unknown' {\n",
        replace:
          "  { counter }: CountedIdentity,\n): 'received' | 'new' | 'unknown' {\n  const session = 1;\n",
      },
    ],
  },
  {
    name: 'acknowledgement after the first of several pages',
    patches: [
      {
        file: `${PROJECTION}/project-device.ts`,
        find: 'rest = rest.slice(plan.taken);',
        replace: 'rest = [];',
      },
    ],
  },
  {
    name: 'acknowledgement before quarantine',
    foundAt: 8,
    patches: [
      {
        file: `${PROJECTOR}/handler.ts`,
        find: 'services.quarantine.put(record, signal)',
        replace: '(services.quarantine.put(record, signal).catch(() => undefined), Promise.resolve())',
      },
    ],
  },
  {
    name: 'an adopted page not folded',
    patches: [
      {
        file: `${PROJECTION}/project-device.ts`,
        find: 'foldPage(this.head, existing, this.#services.pageLimits.receipts)',
        replace:
          '{ ...this.head, page: existing.page, arrivalMax: Math.max(this.head.arrivalMax, existing.lastArrivalTime) }',
      },
    ],
  },
  {
    name: 'the wrong failing sequence number',
    patches: [
      {
        file: `${PROJECTOR}/handler.ts`,
        find: 'compareSequenceNumbers(part.from, earliest.from) < 0',
        replace: 'compareSequenceNumbers(part.from, earliest.from) > 0',
      },
    ],
  },
  {
    name: 'a high-water mark without the latest arrival of its shard',
    foundAt: 121,
    patches: [
      {
        file: `${MODEL}/fold.ts`,
        find: 'const arrivalTime = Math.max(seen.arrivalTime, existing?.arrivalTime ?? 0);',
        replace: 'const arrivalTime = highest.arrivalTime;',
      },
    ],
  },
  {
    name: 'a redelivered batch that does not heal the state',
    patches: [
      {
        file: `${PROJECTION}/project-device.ts`,
        find: 'if (this.head.page === this.#statePage) return false;',
        replace: 'if (this.head.page === this.#statePage || this.#pages === 0) return false;',
      },
    ],
  },
  {
    name: 'removed names dropped before those that stand',
    foundAt: 5,
    patches: [
      {
        file: `${MODEL}/attribute-bound.ts`,
        find: 'if (LABEL_NAMES.has(name)) continue;',
        replace: 'if (LABEL_NAMES.has(name) || (value !== undefined && hasRemoved(attributes))) continue;',
      },
      {
        file: `${MODEL}/attribute-bound.ts`,
        find: 'for (const [name, { version }] of attributes) {',
        replace:
          'const hasRemoved = (all: typeof attributes) => [...all.values()].some((each) => each.value === undefined); for (const [name, { version, value }] of attributes) {',
      },
    ],
  },
  {
    name: 'an attribute below the floor of dropped names set again',
    foundAt: 13,
    patches: [
      {
        file: `${MODEL}/fold.ts`,
        find: 'if (isBelowAttributesFloor(draft, name, version)) continue;',
        replace: '',
      },
    ],
  },
  {
    name: 'a wrapped counter compared with the newest event when it is delivered again',
    patches: [
      {
        file: `${MODEL}/derived-identity.ts`,
        find: 'before = { ...(stored?.version ?? NO_VERSION), ...timeOf(stored?.event.time) };',
        replace: '',
      },
    ],
  },
  {
    name: 'a copy of an announced restart taken for the next one',
    patches: [
      {
        file: `${MODEL}/derived-identity.ts`,
        find: 'if (own !== undefined) {',
        replace: 'if (own !== undefined && own.session < 0) {',
      },
    ],
  },
  {
    name: 'a counter that wraps to the next session',
    foundAt: 68,
    patches: [
      {
        file: `${MODEL}/source-counter.ts`,
        find: 'ahead > 0 && ahead <= range / 2',
        replace: 'ahead > 0 && counter > before.counter % range',
      },
    ],
  },
  {
    name: 'a copy of a derived event looked for by position alone',
    foundAt: 362,
    patches: [
      {
        file: `${MODEL}/derived-identity.ts`,
        find: 'const copy = history.copyOf(position, delivered);',
        replace: 'const copy = undefined as ReturnType<typeof history.copyOf>;',
      },
    ],
  },
  {
    name: 'a derived event of a parent shard compared with the newest of its child',
    isRare: true,
    patches: [
      {
        file: `${MODEL}/derived-identity.ts`,
        find: 'isBelow || isOvertaken(draft, shardId, arrival)',
        replace: 'isBelow',
      },
    ],
  },
  {
    name: 'a derived event compared with what is stored, and not with the one before it in its batch',
    foundAt: 5_013,
    patches: [
      { file: `${MODEL}/derived-identity.ts`, find: 'if (!hasAdvanced(context)) {', replace: 'if (true) {' },
    ],
  },
  {
    name: 'a window of keys not read after a cold start',
    foundAt: 14,
    patches: [
      {
        file: `${MODEL}/decide-event.ts`,
        find: "if (recent === undefined) return 'unknown';",
        replace: "if (recent === undefined) return 'new';",
      },
    ],
  },
  {
    name: 'a key compared across devices',
    foundAt: 23,
    patches: [
      {
        file: `${PROJECTION}/head-cache.ts`,
        find: 'const recent = this.#recent.get(deviceId);',
        replace: 'const recent = [...this.#recent.values()].at(-1);',
      },
    ],
  },
  {
    name: 'a window of keys that forgets what its own batch has brought',
    foundAt: 14,
    patches: [{ file: `${MODEL}/plan-page.ts`, find: 'traces?.push(trace);', replace: '' }],
  },
  {
    name: 'a window of keys that is not moved on with a page',
    foundAt: 6,
    patches: [
      {
        file: `${PROJECTION}/project-device.ts`,
        find: 'if (this.#recent !== undefined) this.#recent = withRecent(this.#recent, events);',
        replace: 'if (events.length < 0) this.#recent = withRecent(this.#recent as never, events);',
      },
    ],
  },
  {
    name: 'a copy by key below the high-water mark stored again',
    foundAt: 6,
    patches: [
      {
        file: `${MODEL}/decide-event.ts`,
        find: "if (answer !== undefined) return answer ? 'received' : 'new';",
        replace:
          "if (mark === 'below') return 'new'; if (answer !== undefined) return answer ? 'received' : 'new';",
      },
    ],
  },
  {
    name: 'a copy by key that was accepted after its place stored again',
    foundAt: 360,
    patches: [
      {
        file: `${MODEL}/event-key.ts`,
        find: 'for (const trace of after) {',
        replace: 'for (const trace of [] as typeof after) {',
      },
    ],
  },
  ...SEEDED_BATCH_FAULTS,
  ...SEEDED_OPERATOR_FAULTS,
];
