import { describe } from 'vitest';
import { describeLatestStateTable, describeShardProgressTable } from '../contract/index.ts';
import { memoryLatestStateTable } from '../src/memory-latest-state.ts';
import { memoryShardProgressTable } from '../src/memory-shard-progress.ts';

describe('the latest-state table in memory', () => {
  describeLatestStateTable(async () => ({ table: memoryLatestStateTable() }));
});

describe('the shard-progress table in memory', () => {
  describeShardProgressTable(async () => ({ table: memoryShardProgressTable() }));
});
