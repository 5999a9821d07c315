import { describe, expect, test } from 'vitest';
import { EXPLANATIONS, judge } from './explained-findings.ts';

const finding = (check: string, resource: string) => ({ check, resource, file: 'a.json', message: 'm' });
const explanation = { check: 'CKV_1', resources: /^Logs/, reason: 'It holds logs.' };

describe('findings of the templates', () => {
  test('are unexplained where the check or the resource is another', () => {
    const others = [finding('CKV_2', 'Logs1'), finding('CKV_1', 'DataLogs')];
    expect(judge([finding('CKV_1', 'Logs1'), ...others], [explanation])).toEqual({
      unexplained: others,
      stale: [],
    });
  });

  test('leave an explanation of nothing stale', () => {
    expect(judge([], [explanation])).toEqual({ unexplained: [], stale: [explanation] });
  });

  test('are explained by a sentence', () => {
    for (const { reason } of EXPLANATIONS) expect(reason).toMatch(/^[A-Z].{20,}\.$/);
  });
});
