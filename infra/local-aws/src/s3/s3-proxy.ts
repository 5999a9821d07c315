import { type FaultProxyOptions, startFaultProxy } from '../faults/fault-proxy.ts';
import type { LoopbackServer } from '../http/loopback-server.ts';
import { S3_DIALECT } from './s3-fault-dialect.ts';

/**
 * A proxy in front of an S3 engine that injects `SlowDown`, internal errors, lost answers and late requests, by
 * operation, as the injector decides; everything else passes unchanged.
 */
export function startS3Proxy(options: Omit<FaultProxyOptions, 'dialect'>): Promise<LoopbackServer> {
  return startFaultProxy({ ...options, dialect: S3_DIALECT });
}
