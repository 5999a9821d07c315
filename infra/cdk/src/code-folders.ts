import { CodedError } from '@twinstream/runtime';
import type { IConstruct } from 'constructs';

/** What runs on AWS as a bundle of its own. */
export const BUNDLE_NAMES = [
  'state-projector',
  'event-archiver',
  'query-api',
  'query-service',
  'corrections',
  'quarantine',
  'operations',
  'canary-device',
  'status-publisher',
] as const;
export type BundleName = (typeof BUNDLE_NAMES)[number];

/** What the functions and tasks of a pipeline run: all but the tasks of operators. */
export const PIPELINE_BUNDLES: readonly BundleName[] = BUNDLE_NAMES.filter((name) => name !== 'operations');

/** The entry's file in a bundle: an ES module by its ending, since nothing beside it says so. */
export const BUNDLE_FILE = 'index.mjs';

const folders = new Map<BundleName, string>();

/** States where the bundle of a function or task is. */
export function useCodeFolder(name: BundleName, folder: string): void {
  folders.set(name, folder);
}

/** Context variable that names a folder to deploy in place of every bundle: for templates whose code does not matter. */
export const CODE_FOLDER_CONTEXT = 'twinstream:code-folder';

/** The folder whose content a function or task of this app runs. */
export function codeFolder(scope: IConstruct, name: BundleName): string {
  const given: unknown = scope.node.tryGetContext(CODE_FOLDER_CONTEXT);
  const folder = typeof given === 'string' ? given : folders.get(name);
  if (folder === undefined)
    throw new CodedError('BUNDLE_MISSING', `${name} was not bundled before the stacks`);
  return folder;
}
