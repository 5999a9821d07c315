import { type FaultProxyOptions, startFaultProxy } from '../faults/fault-proxy.ts';
import type { LoopbackServer } from '../http/loopback-server.ts';
import { DYNAMODB_DIALECT } from './dynamodb-fault-dialect.ts';

/**
 * A proxy in front of a DynamoDB engine that injects throttles, internal errors, lost answers and requests that land
 * late, by operation, as the injector decides; everything else passes unchanged.
 */
export function startDynamoDbProxy(options: Omit<FaultProxyOptions, 'dialect'>): Promise<LoopbackServer> {
  return startFaultProxy({ ...options, dialect: DYNAMODB_DIALECT });
}
