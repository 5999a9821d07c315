import { isEventTime } from '@twinstream/device-model';
import { expect, test } from 'vitest';
import { planRun } from '../../src/command/run-plan.ts';
import { flagOf, readSettings } from '../../src/command/settings.ts';
import { createFleet } from '../../src/fleet/fleet.ts';

test('events are valid also when the clock tells more than milliseconds', () => {
  const context = { nowMs: 1_795_426_687_574.124, stream: undefined, drawSeed: () => 1 };
  const { source } = planRun(readSettings({ devices: '1' }, flagOf), context);
  if (source.kind !== 'fleet') throw new TypeError('not a fleet');
  const { event } = createFleet(source.fleet).next(0);
  expect(isEventTime(event.time)).toBe(true);
});
