import type { Deployment } from './deployment.ts';
import type { LoadOptions } from './load-options.ts';

/** One load on one deployment, as the steps of measuring it share it. */
export interface Measurement {
  readonly deployment: Deployment;
  readonly options: LoadOptions;
  /** Temporary folder, for the ledger. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}
