import {
  ASSUMPTIONS,
  BATCH_RECORDS_MAX,
  completeWorkload,
  figureValue,
  HEADS_MEMORY_MIB,
  INVOCATION_BYTES_MAX,
  planCapacity,
  type Workload,
  workloadWithin,
} from '@twinstream/capacity';
import { INVOCATION_PAYLOAD_BYTES_MAX, PROJECT_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { type Context, pipelineTemplate, resource } from './templates.ts';

const template = pipelineTemplate({});

test('the formula of capacity reckons with the batches and windows that the mappings have', () => {
  expect(BATCH_RECORDS_MAX).toBe(PROJECT_MAPPING_SETTINGS.batchSize);
  expect(INVOCATION_BYTES_MAX).toBe(INVOCATION_PAYLOAD_BYTES_MAX);
  const { windowSeconds } = completeWorkload({
    deviceCount: 1,
    eventsPerSecondPerDevice: 1,
    eventBytes: 1,
  });
  expect(windowSeconds * 1_000).toBe(PROJECT_MAPPING_SETTINGS.batchingWindowMs);
  expect(ASSUMPTIONS.archiverWindowSeconds * 1_000).toBe(PROJECT_MAPPING_SETTINGS.batchingWindowMs);
  expect(PROJECT_MAPPING_SETTINGS.parallelizationFactor).toBe(1);
});

test('it reckons with the memory that the functions have', () => {
  const memoryMb = (id: string) => resource(template, 'AWS::Lambda::Function', id).MemorySize;
  expect(memoryMb('ProjectorStateProjector')).toBe(ASSUMPTIONS.projectorGb * 1_000);
  expect(memoryMb('ArchiverEventArchiver')).toBe(ASSUMPTIONS.archiverGb * 1_000);
});

/** What a fleet needs that a function does not answer for. */
const SERVICE = { fleetApi: 'service', jwtIssuer: 'https://issuer.example', jwtAudience: 'page' };

describe('tables of events and states', () => {
  const workload = {
    devices: '1000000',
    eventsPerSecond: '0.1',
    eventBytes: '170',
    shards: '200',
    ...SERVICE,
  };
  const tableOf = (context: Context, id: string) =>
    resource(pipelineTemplate({ ...workload, ...context }), 'AWS::DynamoDB::Table', id);
  /** Units a second of each at the planned peak: the mean uses 0.6 of it. */
  const peak = () => {
    const { twinstream } = planCapacity({
      deviceCount: 1_000_000,
      eventsPerSecondPerDevice: 0.1,
      eventBytes: 170,
    });
    return figureValue(twinstream, 'writeUnitsPerSecond') / 2 / 0.6;
  };

  test('are on demand without a bound, unless a stage sets one', () => {
    expect(tableOf({}, 'TablesEvents')).not.toHaveProperty('OnDemandThroughput');
    expect(tableOf({}, 'TablesEvents')).not.toHaveProperty('WarmThroughput');
    for (const id of ['TablesEvents', 'TablesDeviceState']) {
      const table = tableOf({ tableWriteUnitsMax: '150000', warmTables: 'true' }, id);
      expect(table).toMatchObject({
        BillingMode: 'PAY_PER_REQUEST',
        OnDemandThroughput: { MaxWriteRequestUnits: 150_000 },
        WarmThroughput: { WriteUnitsPerSecond: Math.ceil(peak()) },
      });
    }
    expect(tableOf({ warmTables: 'true' }, 'TablesOperations')).not.toHaveProperty('WarmThroughput');
  });

  test('are provisioned around the planned peak, and scaled at 70 %', () => {
    const made = pipelineTemplate({ ...workload, tableBilling: 'provisioned' });
    const table = resource(made, 'AWS::DynamoDB::Table', 'TablesEvents');
    expect(table.ProvisionedThroughput).toMatchObject({ WriteCapacityUnits: Math.ceil(peak() / 4) });
    const targets = Object.values(made.findResources('AWS::ApplicationAutoScaling::ScalableTarget'));
    const writes = targets.filter(({ Properties }) => /Write/.test(Properties.ScalableDimension));
    expect(writes.map(({ Properties }) => Properties.MaxCapacity)).toEqual([
      Math.ceil(peak() * 2),
      Math.ceil(peak() * 2),
    ]);
    expect(targets).toHaveLength(4);
  });

  test('may keep events in infrequent access, and no other table', () => {
    expect(tableOf({ eventsTableClass: 'infrequent-access' }, 'TablesEvents').TableClass).toBe(
      'STANDARD_INFREQUENT_ACCESS',
    );
    expect(tableOf({ eventsTableClass: 'infrequent-access' }, 'TablesDeviceState')).not.toHaveProperty(
      'TableClass',
    );
  });

  test.each<[Context, RegExp]>([
    [{ tableBilling: 'provisioned' }, /need a workload/],
    [{ warmTables: 'true' }, /need a workload/],
    [{ ...workload, tableBilling: 'provisioned', tableWriteUnitsMax: '10' }, /of tables on demand/],
    [{ monthlyBudgetUsd: '100' }, /without alarmEmail/],
  ])('refuses %j', (context, fault) => {
    expect(() => pipelineTemplate(context)).toThrow(fault);
  });
});

test('a budget tells operators of actual and of forecast cost', () => {
  const made = pipelineTemplate({ monthlyBudgetUsd: '5000', alarmEmail: 'operators@example.org' });
  const [budget] = Object.values(made.findResources('AWS::Budgets::Budget'));
  expect(budget?.Properties).toMatchObject({
    Budget: { BudgetLimit: { Amount: 5_000, Unit: 'USD' }, TimeUnit: 'MONTHLY' },
    NotificationsWithSubscribers: [
      { Notification: { NotificationType: 'ACTUAL', Threshold: 80 } },
      { Notification: { NotificationType: 'FORECASTED', Threshold: 100 } },
    ],
  });
  expect(Object.keys(template.findResources('AWS::Budgets::Budget'))).toEqual([]);
});

describe('a stage whose workload is stated', () => {
  const workload = { devices: '10000', eventsPerSecond: '0.1', eventBytes: '170' };
  const budget = { ...workload, aggregated: 'true', latencyBudgetSeconds: '60' };
  const mappingOf = (stage: Template, id: string) => resource(stage, 'AWS::Lambda::EventSourceMapping', id);
  const functionOf = (stage: Template, id: string) => resource(stage, 'AWS::Lambda::Function', id);
  const planned = (request: Workload) => {
    const { twinstream } = planCapacity(request);
    return (key: string) => figureValue(twinstream, key);
  };
  const fleet: Workload = { deviceCount: 10_000, eventsPerSecondPerDevice: 0.1, eventBytes: 170 };

  test.each(['dev', 'prod'])('has the shards and the window that ops plan names: %s', (stage) => {
    const made = pipelineTemplate({ ...budget, stage });
    const { workload: chosen = fleet } = workloadWithin({ ...fleet, isAggregated: true }, 60);
    expect(resource(made, 'AWS::Kinesis::Stream', 'EventStream')).toMatchObject({
      ShardCount: planned(chosen)('shards'),
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
    });
    expect(mappingOf(made, 'Projector').MaximumBatchingWindowInSeconds).toBe(chosen.windowSeconds);
    expect(mappingOf(made, 'Archiver').MaximumBatchingWindowInSeconds).toBe(1);
  });

  test('has shards for the tasks of the query service, too, which read every record', () => {
    const dense = {
      ...workload,
      devices: '150000',
      eventBytes: '1000',
      aggregated: 'true',
      latencyBudgetSeconds: '10',
    };
    const shardsOf = (context: Context) =>
      Number(resource(pipelineTemplate(context), 'AWS::Kinesis::Stream', 'EventStream').ShardCount);
    const [alone, shared] = [shardsOf(dense), shardsOf({ ...dense, ...SERVICE })];
    expect(shared).toBeGreaterThanOrEqual(2 * alone - 1);
  });

  test('keeps as many states in memory as a shard has devices, within the memory for them', () => {
    const headsOf = (context: Context): unknown => {
      const { Environment } = functionOf(pipelineTemplate(context), 'ProjectorStateProjector');
      return Object(Object(Environment).Variables).TWINSTREAM_HEADS_MAX;
    };
    const large = { ...workload, devices: '900000', eventsPerSecond: '0.001', ...SERVICE };
    expect(headsOf({})).toBeUndefined();
    expect(headsOf({ stage: 'dev', ...workload })).toBe('20000');
    expect(headsOf({ stage: 'dev', ...large, shards: '10' })).toBe('112500');
    const most = Number(headsOf({ stage: 'dev', ...large, shards: '1' }));
    expect(most).toBeGreaterThan(112_500);
    expect(most).toBeLessThan(HEADS_MEMORY_MIB * 1_024);
  });

  test('reserves invocations for twice the shards, so that neither a reshard nor a redrive is throttled', () => {
    const shards = planned(fleet)('shards');
    const made = pipelineTemplate(workload);
    for (const id of ['ProjectorStateProjector', 'ArchiverEventArchiver']) {
      expect(functionOf(made, id).ReservedConcurrentExecutions).toBe(2 * shards);
    }
    expect(planned(fleet)('concurrency')).toBe(2 * shards);
    expect(planned(fleet)('reservedConcurrency')).toBe(2 * 2 * shards);
  });

  test('reserves none where no workload is stated, or AWS chooses the shards', () => {
    for (const id of ['ProjectorStateProjector', 'ArchiverEventArchiver']) {
      expect(functionOf(template, id).ReservedConcurrentExecutions).toBeUndefined();
    }
  });

  test('takes a number of shards that is asked for before its own', () => {
    const made = pipelineTemplate({ ...workload, shards: 7 });
    expect(resource(made, 'AWS::Kinesis::Stream', 'EventStream').ShardCount).toBe(7);
    expect(functionOf(made, 'ProjectorStateProjector').ReservedConcurrentExecutions).toBe(14);
  });

  test('sounds no alarm for the age that its window gives', () => {
    const age = (context: Context) =>
      Number(
        resource(pipelineTemplate(context), 'AWS::CloudWatch::Alarm', 'AlarmsProjectorIteratorAge').Threshold,
      );
    expect(age({ ...workload, stage: 'prod' })).toBe(5 * 60_000);
    expect(age({ ...workload, stage: 'prod', latencyBudgetSeconds: 300 })).toBe(10 * 60_000);
  });

  test.each<[Context, RegExp]>([
    [{ devices: 10 }, /devices, eventsPerSecond, eventBytes: a workload states all three/],
    [{ latencyBudgetSeconds: 10 }, /a workload states all three/],
    [{ ...workload, devices: 'many', eventBytes: 0 }, /devices: a number[\s\S]*eventBytes: from 1/],
    [{ ...workload, latencyBudgetSeconds: 1 }, /states are readable after 1\.\d s without a window/],
    [{ ...workload, latencyBudgetSeconds: 10, windowSeconds: 20 }, /windowSeconds: exceeds .* leaves 8/],
    [{ ...workload, devices: 1e9 }, /devices: need \d+ shards, and 20000 are the most/],
  ])('is refused with the reason: %j', (context, reason) => {
    expect(() => pipelineTemplate(context)).toThrow(reason);
  });
});
