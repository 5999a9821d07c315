import { expect, test } from 'vitest';
import { functionNameOf } from '../src/names.ts';

const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function:state-projector';

test.each([
  'state-projector',
  'state-projector:live',
  'state-projector:7',
  ARN,
  `${ARN}:live`,
  `${ARN}:$LATEST`,
  '123456789012:function:state-projector',
  'arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:state-projector:live',
])('%s names a function', (reference) => {
  expect(functionNameOf(reference)).toBe('state-projector');
});

test.each(['', ':', 'function:live:7:8'])('"%s" names none, and stays what it is', (reference) => {
  expect(functionNameOf(reference)).toBe(reference);
});
