export * from './aws-clients.ts';
export * from './clock.ts';
export * from './coded-error.ts';
export * from './configuration.ts';
export * from './duration.ts';
export * from './local-environment.ts';
export * from './logger.ts';
export * from './shutdown.ts';
