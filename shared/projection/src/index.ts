export * from './head-cache.ts';
export * from './keep-untouched.ts';
export * from './open-batch.ts';
export * from './project-device.ts';
export * from './redrive.ts';
export * from './refused-records.ts';
