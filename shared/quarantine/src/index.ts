export * from './memory-quarantine.ts';
export * from './quarantine-key.ts';
export * from './quarantine-lines.ts';
export * from './quarantine-store.ts';
export * from './quarantined-record.ts';
export * from './resolution.ts';
export * from './resolved-lines.ts';
export * from './s3-quarantine.ts';
