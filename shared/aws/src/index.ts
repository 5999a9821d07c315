export * from './write-batcher.ts';
