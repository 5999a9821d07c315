import { KinesisClient } from '@aws-sdk/client-kinesis';
import { describe, it } from 'vitest';
import type { ContractSubject } from './contract/subject.ts';
import { fanOutContract, kinesisContract, settingsContract } from './kinesis-contract.ts';

const OPT_IN = 'TWINSTREAM_TEST_AWS_KINESIS';

// It creates and deletes about 50 streams in the account and region of the environment, which costs some cents.
if (process.env[OPT_IN] === '1') {
  const subject: ContractSubject = {
    name: 'AWS',
    connect: async () => {
      const client = new KinesisClient({ maxAttempts: 1 });
      return { client, close: async () => client.destroy() };
    },
    skips: {},
    patienceMs: 120_000,
  };
  kinesisContract(subject);
  fanOutContract(subject);
  settingsContract(subject);
} else {
  describe('Kinesis API: AWS', () => {
    it.skip(`every fact of the contract (set ${OPT_IN}=1 and the SDK's own variables)`);
  });
}
