import type {
  CorrectionTaken,
  Discarded,
  EventList,
  FleetSummary,
  PipelineStatus,
  QuarantinedPayload,
  QuarantineList,
  RedriveAnswer,
  SeriesAnswer,
  Updates,
  WholeDevice,
  WholeDeviceList,
} from '@twinstream/api-contract';
import { expectTypeOf, test } from 'vitest';
import type {
  correctDevice,
  discardRecord,
  listDevices,
  listEvents,
  listQuarantine,
  previewRedrive,
  readDevice,
  readPipeline,
  readQuarantined,
  readSeries,
  readSummary,
  redriveRecord,
} from '../../src/api/query-api.ts';
import type { Outcome } from '../../src/api/request.ts';
import type { applyDevice, applyLeave } from '../../src/session/fleet-session.ts';

/** What a call of the client is answered with. */
type Answered<Call extends (...parameters: never[]) => Promise<Outcome<unknown>>> = Extract<
  Awaited<ReturnType<Call>>,
  { kind: 'answered' }
>['value'];

test('the client is answered in the types of the contract, and in none of its own', () => {
  expectTypeOf<Answered<typeof listDevices>>().toEqualTypeOf<WholeDeviceList>();
  expectTypeOf<Answered<typeof readDevice>>().toEqualTypeOf<WholeDevice>();
  expectTypeOf<Answered<typeof listEvents>>().toEqualTypeOf<EventList>();
  expectTypeOf<Answered<typeof readPipeline>>().toEqualTypeOf<PipelineStatus>();
  expectTypeOf<Answered<typeof readSummary>>().toEqualTypeOf<FleetSummary>();
  expectTypeOf<Answered<typeof readSeries>>().toEqualTypeOf<SeriesAnswer>();
  expectTypeOf<Answered<typeof correctDevice>>().toEqualTypeOf<CorrectionTaken>();
  expectTypeOf<Answered<typeof listQuarantine>>().toEqualTypeOf<QuarantineList>();
  expectTypeOf<Answered<typeof readQuarantined>>().toEqualTypeOf<QuarantinedPayload>();
  expectTypeOf<Answered<typeof previewRedrive>>().toEqualTypeOf<RedriveAnswer>();
  expectTypeOf<Answered<typeof redriveRecord>>().toEqualTypeOf<RedriveAnswer>();
  expectTypeOf<Answered<typeof discardRecord>>().toEqualTypeOf<Discarded>();
  expectTypeOf<Parameters<typeof applyDevice>>().toEqualTypeOf<[device: Updates['device']]>();
  expectTypeOf<Updates['leave']['deviceIds']>().toExtend<Parameters<typeof applyLeave>[0]>();
});
