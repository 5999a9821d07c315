export * from './command/exit-codes.ts';
export * from './command/host.ts';
export * from './command/operations-command.ts';
