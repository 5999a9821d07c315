import { ASSUMPTIONS, BATCH_DATA_BYTES_MAX, BATCH_RECORDS_MAX, completeWorkload } from '@twinstream/capacity';
import {
  INVOCATION_PAYLOAD_BYTES_MAX,
  PROJECT_MAPPING_SETTINGS,
} from '@twinstream/local-aws/mapping-settings';
import { expect, test } from 'vitest';
import { pipelineTemplate, resource } from './templates.ts';

const template = pipelineTemplate({});

test('the formula of capacity reckons with the batches and windows that the mappings have', () => {
  expect(BATCH_RECORDS_MAX).toBe(PROJECT_MAPPING_SETTINGS.batchSize);
  expect(BATCH_DATA_BYTES_MAX).toBe((INVOCATION_PAYLOAD_BYTES_MAX * 3) / 4);
  const { windowSeconds } = completeWorkload({
    deviceCount: 1,
    eventsPerSecondPerDevice: 1,
    eventBytes: 1,
  });
  expect(windowSeconds * 1_000).toBe(PROJECT_MAPPING_SETTINGS.batchingWindowMs);
  expect(PROJECT_MAPPING_SETTINGS.parallelizationFactor).toBe(1);
});

test('it reckons with the memory that the functions have', () => {
  const memoryMb = (id: string) => resource(template, 'AWS::Lambda::Function', id).MemorySize;
  expect(memoryMb('ProjectorStateProjector')).toBe(ASSUMPTIONS.projectorGb * 1_000);
  expect(memoryMb('ArchiverEventArchiver')).toBe(ASSUMPTIONS.archiverGb * 1_000);
});
