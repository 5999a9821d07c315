export * from './follow-generation.ts';
export * from './following-stores.ts';
export * from './generation-item.ts';
export * from './table-definition.ts';
export * from './table-generation.ts';
