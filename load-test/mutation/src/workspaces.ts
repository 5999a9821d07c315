/** A workspace whose code is mutated, and the folders whose tests are asked whether they notice. */
export interface MutatedWorkspace {
  readonly source: string;
  readonly tests: readonly string[];
}

/** The projector is the test bench of the projection: the one is the other's only caller on the way to the stores. */
const PROJECTION_TESTS: readonly string[] = ['shared/projection/test', 'consumers/state-projector/test'];

const own = (folder: string): MutatedWorkspace => ({ source: `${folder}/src`, tests: [`${folder}/test`] });

/** By the folder that `npm run mutation -- FOLDER` takes. */
export const MUTATED_WORKSPACES: Readonly<Record<string, MutatedWorkspace>> = {
  'shared/device-model': own('shared/device-model'),
  'shared/stream-model': own('shared/stream-model'),
  'shared/event-store': own('shared/event-store'),
  'shared/latest-state': own('shared/latest-state'),
  'shared/projection': { source: 'shared/projection/src', tests: PROJECTION_TESTS },
  'consumers/state-projector': { source: 'consumers/state-projector/src', tests: PROJECTION_TESTS },
  'shared/verification': own('shared/verification'),
  'producers/stream-producer': own('producers/stream-producer'),
  'shared/runtime': own('shared/runtime'),
  'consumers/operations': own('consumers/operations'),
};

/** Tests that start processes or whole simulations take seconds for each mutant. dynalite runs within the process. */
export const SLOW_TESTS: readonly string[] = [
  '**/*.e2e.test.ts',
  '**/*.simulation.test.ts',
  '**/dynamodb-local*.contract.test.ts',
];
