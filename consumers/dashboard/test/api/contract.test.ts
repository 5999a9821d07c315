import type {
  EventList,
  FleetSummary,
  PipelineStatus,
  Updates,
  WholeDevice,
  WholeDeviceList,
} from '@twinstream/api-contract';
import { expectTypeOf, test } from 'vitest';
import type {
  listDevices,
  listEvents,
  readDevice,
  readPipeline,
  readSummary,
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
  expectTypeOf<Parameters<typeof applyDevice>>().toEqualTypeOf<[device: Updates['device']]>();
  expectTypeOf<Updates['leave']['deviceIds']>().toExtend<Parameters<typeof applyLeave>[0]>();
});
