export * from './annotation-operations.ts';
export {
  ATTRIBUTE_FILTER_PREFIX,
  type AttributeCondition,
  type AttributeOperator,
} from './attribute-filter.ts';
export * from './device.ts';
export {
  type CorrectionTaken,
  correctDevice,
  getDevice,
  listDeviceEvents,
  listDevices,
} from './device-operations.ts';
export * from './event.ts';
export { ALL_FIELDS, ATTRIBUTE_PREFIX, DEVICE_MEMBERS } from './field-selection.ts';
export { type FleetFilter, type FleetSummary, LABEL_VALUES_MAX, type LabelCounts } from './fleet.ts';
export * from './fleet-aggregates.ts';
export { headerName } from './header-name.ts';
export { openApiDocument } from './openapi-document.ts';
export { CSV, NDJSON, type Operation, operation, type Scope } from './operation.ts';
export * from './operations.ts';
export { NOW } from './parameters.ts';
export * from './pipeline-status.ts';
export * from './problem.ts';
export * from './quarantine-operations.ts';
export * from './series.ts';
export * from './updates.ts';
export * from './values.ts';
