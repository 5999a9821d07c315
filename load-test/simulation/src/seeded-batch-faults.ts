import type { SeededFault } from './seed-fault.ts';

const DYNAMODB = 'shared/aws/src/dynamodb';

/** Mistakes in how writes share requests, and in what their answers are taken for. */
export const SEEDED_BATCH_FAULTS: readonly SeededFault[] = [
  {
    name: 'an outcome given to the wrong statement',
    patches: [
      {
        file: `${DYNAMODB}/request-batcher.ts`,
        find: 'for (const [index, answer] of answers.entries()) entries[index]?.settle(answer);',
        replace: 'for (const [index, answer] of answers.entries()) entries.at(-1 - index)?.settle(answer);',
      },
    ],
  },
  {
    name: 'a throttled statement taken for done',
    foundAt: 88,
    patches: [
      {
        file: `${DYNAMODB}/batched-items.ts`,
        find: 'if (THROTTLES.has(code)) {',
        replace:
          "if (THROTTLES.has(code)) return { kind: 'decided', outcome: { kind: 'written', writeUnits: 1 } }; if (code === '') {",
      },
    ],
  },
  {
    name: 'two statements of one item in a batch',
    foundAt: 43,
    patches: [
      {
        file: `${DYNAMODB}/request-batcher.ts`,
        find: 'if (isFull || this.#waitingItems.has(item)) this.#send();',
        replace: 'if (isFull) this.#send();',
      },
    ],
  },
  {
    name: 'a batch whose answer was lost taken for done',
    patches: [
      {
        file: `${DYNAMODB}/batched-items.ts`,
        find: 'writeTogether(requests, some, measure, signal)),',
        replace:
          "writeTogether(requests, some, measure, signal).catch(() => some.map(() => ({ kind: 'decided', outcome: { kind: 'written', writeUnits: 1 } })))),",
      },
    ],
  },
  {
    name: 'an update of a missing state taken for a newer one',
    patches: [
      {
        file: `${DYNAMODB}/batched-items.ts`,
        find: "else if (existing === undefined) next = 'create';",
        replace: "else if (existing === undefined) return { outcome: 'not-below' };",
      },
    ],
  },
  {
    name: 'a state updated although a newer one stands there',
    foundAt: 394,
    patches: [
      {
        file: `${DYNAMODB}/write-statements.ts`,
        find: "where === 'below' ? '< ?' :",
        replace: "where === 'below' ? '<> ?' :",
      },
    ],
  },
];
