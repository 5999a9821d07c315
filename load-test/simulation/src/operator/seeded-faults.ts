import type { SeededFault } from '../seed-fault.ts';

const REDRIVE = 'shared/projection/src/redrive.ts';
const REPLAY = 'consumers/operations/src/replay';

/** What a promotion does not carry over, the comparison before its switch would find, and take from the chain in use. */
const NO_COMPARISON = {
  file: `${REPLAY}/promotion/promote-tables.ts`,
  find: 'await requireCovered(services, job, carryOver, signal);',
  replace: '',
} as const;

/** Mistakes in what operators run. */
export const SEEDED_OPERATOR_FAULTS: readonly SeededFault[] = [
  {
    name: 'a redrive of what the live consumer has not finished',
    foundAt: 9,
    patches: [
      {
        file: REDRIVE,
        find: 'if (finishedThrough === undefined || compareSequenceNumbers(sequenceNumber, finishedThrough) > 0) {',
        replace: "if (shardId === '') {",
      },
    ],
  },
  {
    name: 'a redriven event under another place',
    foundAt: 26,
    patches: [
      {
        file: REDRIVE,
        find: 'const place = { sequenceNumber, subSequenceNumber };',
        replace: 'const place = { sequenceNumber, subSequenceNumber: subSequenceNumber + 1 };',
      },
    ],
  },
  {
    name: 'a redriven event that is not marked',
    foundAt: 26,
    patches: [{ file: REDRIVE, find: 'repaired: true', replace: 'repaired: false' }],
  },
  {
    name: 'a record taken out of quarantine before its events are stored',
    foundAt: 1_130,
    patches: [
      {
        file: REDRIVE,
        find: 'const { outcomes, refused } = await appendRepaired(',
        replace:
          "await services.quarantine.resolve(key, { outcome: 'redriven', time: '', reason: '', actor: '', events: [] }); const { outcomes, refused } = await appendRepaired(",
      },
    ],
  },
  {
    name: 'a window of a replay that takes the arrivals of its times, and not a range of each shard',
    foundAt: 70_384,
    patches: [
      {
        file: `${REPLAY}/sources/replay-source.ts`,
        find: 'this.#hasEnded ||= arrivalTime >= this.#window.toMs;',
        replace: "if (arrivalTime >= this.#window.toMs) return 'before';",
      },
    ],
  },
  {
    name: 'a repair beyond shard progress',
    isRare: true,
    patches: [
      {
        file: `${REPLAY}/repair/run-repair.ts`,
        find: '      bound,\n      target: projectingTarget({',
        replace: '      target: projectingTarget({',
      },
    ],
  },
  {
    name: 'a checkpoint before its step',
    foundAt: 15,
    patches: [
      {
        file: `${REPLAY}/run-source.ts`,
        find: 'await pace.take(step.length, signal);',
        replace:
          'advance(job, shardId, within(step, batch.through), false); await checkpointing.save(); await pace.take(step.length, signal);',
      },
    ],
  },
  {
    name: 'a resume after the record in which it was killed',
    isRare: true,
    patches: [
      {
        file: `${REPLAY}/sources/stream-source.ts`,
        find: "isAfter(endOfRecord(last), last) ? 'at' : 'after'",
        replace: "'after'",
      },
    ],
  },
  {
    name: 'a restored page under a wrong number',
    foundAt: 44,
    patches: [
      {
        file: `${REPLAY}/repair/restore-pages.ts`,
        find: 'plan.taken === arrived.length ? plan.page : undefined',
        replace: 'plan.taken === arrived.length ? { ...plan.page, page: plan.page.page + 1 } : undefined',
      },
    ],
  },
  {
    name: 'a restored page written against the evidence of the state',
    isRare: true,
    patches: [
      {
        file: `${REPLAY}/repair/restore-pages.ts`,
        find: 'live === undefined ? undefined : contradiction(live, chain)',
        replace: 'undefined',
      },
    ],
  },
  {
    name: 'a take-over that lands late',
    isRare: true,
    patches: [
      {
        file: `${REPLAY}/job-store.ts`,
        find: 'if (item !== undefined && item.token !== previous?.token && !isNotSavedLater(item, job))',
        replace: 'if (item === undefined && previous !== undefined)',
      },
    ],
  },
  {
    // A unit test finds it immediately. Here a restoration has to be refused first, and the process to die after that.
    name: 'failures forgotten when a job is resumed',
    isRare: true,
    seedsMax: 30_000,
    patches: [
      {
        file: `${REPLAY}/replay-job.ts`,
        find: 'const kept = job.failures.filter((failure) => !isDoneAgain(failure));',
        replace: 'const kept = job.failures.filter((failure) => isDoneAgain(failure) && false);',
      },
    ],
  },
  {
    name: 'a chain counted once more for each try',
    foundAt: 152,
    patches: [
      {
        file: `${REPLAY}/run-event-store.ts`,
        find: '        counted = noCounts();\n        return',
        replace: '        return',
      },
    ],
  },
  {
    name: 'a promotion that catches up by arrival',
    isRare: true,
    seedsMax: 2_000,
    patches: [
      {
        file: `${REPLAY}/promotion/stream-catch-up.ts`,
        find: 'const leftFromMs = Math.max(last.fromMs, last.toMs - lagMs);',
        replace: 'const leftFromMs = Math.max(last.toMs, lagMs);',
      },
      NO_COMPARISON,
    ],
  },
  {
    name: 'a promotion that does not carry over what was redriven',
    foundAt: 759,
    seedsMax: 2_000,
    patches: [
      {
        file: `${REPLAY}/promotion/carry-over.ts`,
        find: 'arrivalTime >= heldFromMs && (isAll || repaired === true)',
        replace: 'arrivalTime >= heldFromMs && isAll && repaired !== true',
      },
      NO_COMPARISON,
    ],
  },
  {
    name: 'a promotion of a copy that ends at a page that was repaired since',
    isRare: true,
    seedsMax: 2_000,
    patches: [
      {
        file: `${REPLAY}/run-event-store.ts`,
        find: 'await pace.take(page.events.length, signal);\n    const result',
        replace:
          'if (start.page > 0 && page.events.some(({ repaired }) => repaired)) break; await pace.take(page.events.length, signal);\n    const result',
      },
      NO_COMPARISON,
    ],
  },
  {
    name: 'a promotion without a comparison of what it puts into use',
    isRare: true,
    patches: [NO_COMPARISON],
  },
];
