import { memoryQuarantine } from '@twinstream/quarantine';
import { describeQuarantine } from '../contract/quarantine-contract.ts';

describeQuarantine('memory', async () => ({ store: memoryQuarantine(), close: async () => {} }));
