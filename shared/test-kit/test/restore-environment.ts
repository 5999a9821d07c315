import { keptVariables } from '@twinstream/test-kit';
import { afterAll } from 'vitest';

// Set up before each file of the tiers whose files share a process: what a file sets in the environment ends with it.
afterAll(keptVariables(process.env));
