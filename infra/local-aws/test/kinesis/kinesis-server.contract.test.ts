import { KinesisClient } from '@aws-sdk/client-kinesis';
import { startKinesis } from '../../src/kinesis/index.ts';
import type { ContractSubject } from './contract/subject.ts';
import { fanOutContract, kinesisContract, settingsContract } from './kinesis-contract.ts';

const subject: ContractSubject = {
  name: 'embedded server, default transport of the SDK (HTTP/2)',
  connect: async () => {
    const server = await startKinesis();
    const client = new KinesisClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    });
    return {
      client,
      close: async () => {
        client.destroy();
        await server.close();
      },
    };
  },
  skips: {},
  patienceMs: 5_000,
};

kinesisContract(subject);
fanOutContract(subject);
settingsContract(subject);
