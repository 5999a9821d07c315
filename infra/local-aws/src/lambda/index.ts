import { fileURLToPath } from 'node:url';

export { createFaultInjector } from '../faults/seeded-fault-injector.ts';
export { type Lambda, type LambdaOptions, startLambda } from './lambda.ts';

/** The program that hosts one function in a process of its own. */
export const FUNCTION_HOST: string = fileURLToPath(new URL('./function-host.ts', import.meta.url));
