export { type CheckpointStore, memoryCheckpointStore } from './lambda/checkpoint.ts';
export { consumeStream } from './lambda/consume-stream.ts';
export type { FunctionInvoker } from './lambda/function-invoker.ts';
export { readBudget } from './lambda/read-budget.ts';
export type { MappingContext } from './lambda/shard-consumer.ts';
export type { ShardReader } from './lambda/shard-reader.ts';
