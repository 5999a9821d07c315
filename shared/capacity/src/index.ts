export { ASSUMPTIONS } from './assumptions.ts';
export { POLL_SECONDS } from './batches.ts';
export type { Arrivals } from './event-counts.ts';
export { type CapacityFigure, figureValue, readable } from './figure.ts';
export {
  LAMBDA_FLEET_DEVICES_MAX,
  SERVICE_FLEET_DEVICES_MAX,
  SERVICE_TASKS,
  SERVICE_VCPUS,
  serviceMemoryMiB,
} from './fleet-service.ts';
export { PAGE_CHARACTERS_MAX, PAGE_EVENTS_MAX, pageBytes, pageUnits } from './page-size.ts';
export { type CapacityPlan, planCapacity } from './plan-capacity.ts';
export { HOURS_A_MONTH, PRICES, SECONDS_A_MONTH } from './prices.ts';
export { MEASURED_SPEEDS } from './projecting-speed.ts';
export { HEADS_MEMORY_MIB, headsOfContainer } from './projector-memory.ts';
export { reservedInvocations, UNRESERVED_EXECUTIONS_MIN } from './reserved-concurrency.ts';
export { stateBytesOf } from './state-size.ts';
export { BATCH_RECORDS_MAX, INVOCATION_BYTES_MAX } from './stream-load.ts';
export { streamReaders } from './stream-readers.ts';
export type { CapacityWarning } from './warnings.ts';
export { type CompleteWorkload, completeWorkload, WORKLOAD_LIMITS, type Workload } from './workload.ts';
export { type WorkloadWithin, workloadWithin } from './workload-within.ts';
