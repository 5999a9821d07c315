export * from './head-cache.ts';
export * from './open-batch.ts';
export * from './project-device.ts';
export * from './refused-records.ts';
