import { keptVariables } from '@twinstream/test-kit';
import { expect, test } from 'vitest';

test('variables are as they were: new ones are gone, changed and deleted ones are back', () => {
  const variables: NodeJS.ProcessEnv = { PATH: '/bin', AWS_REGION: 'eu-west-1', HOME: '/root' };
  const restore = keptVariables(variables);
  variables.AWS_ENDPOINT_URL = 'http://127.0.0.1:1';
  variables.AWS_REGION = 'us-east-1';
  delete variables.HOME;
  restore();
  expect(variables).toEqual({ PATH: '/bin', AWS_REGION: 'eu-west-1', HOME: '/root' });
});
