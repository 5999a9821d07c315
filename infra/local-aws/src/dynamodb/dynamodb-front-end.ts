import type { Logger } from '@twinstream/runtime';
import { FAULTS_PATH, faultControl } from '../faults/fault-control.ts';
import { type FaultProxyOptions, startFaultProxy } from '../faults/fault-proxy.ts';
import { createFaultInjector } from '../faults/seeded-fault-injector.ts';
import type { LoopbackServer } from '../http/loopback-server.ts';
import { DYNAMODB_DIALECT } from './dynamodb-fault-dialect.ts';

export interface DynamoDbFrontEndOptions extends Pick<FaultProxyOptions, 'upstreamUrl' | 'serve' | 'port'> {
  readonly logger: Logger;
}

/**
 * Front end of a DynamoDB engine, in the process that runs the engine. It injects throttles, internal errors, lost answers and
 * requests that land late, by operation; everything else passes unchanged. What it injects is set at its own path
 * `/faults`, which is none of DynamoDB's.
 */
export function startDynamoDbFrontEnd(options: DynamoDbFrontEndOptions): Promise<LoopbackServer> {
  const injector = createFaultInjector();
  const control = faultControl({ injector, logger: options.logger });
  return startFaultProxy({
    ...options,
    dialect: DYNAMODB_DIALECT,
    injector,
    beside: { path: FAULTS_PATH, serve: control },
  });
}
