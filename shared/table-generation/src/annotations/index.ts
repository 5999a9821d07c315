export * from './annotation.ts';
export type { AnnotationStore } from './annotation-store.ts';
export * from './dynamodb-annotation-store.ts';
export * from './memory-annotation-store.ts';
