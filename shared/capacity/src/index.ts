export { ASSUMPTIONS } from './assumptions.ts';
export { BATCH_DATA_BYTES_MAX, BATCH_RECORDS_MAX, POLL_SECONDS } from './batches.ts';
export { type CapacityFigure, readable } from './figure.ts';
export { type CapacityPlan, figureValue, planCapacity } from './plan-capacity.ts';
export { HOURS_A_MONTH, PRICES, SECONDS_A_MONTH } from './prices.ts';
export { type CompleteWorkload, completeWorkload, type Workload } from './workload.ts';
export { pageBytes } from './write-units.ts';
