import { join } from 'node:path';
import { pythonTool } from '@twinstream/cdk/python-tool';
import { startLocalKinesis } from '@twinstream/local-aws/kinesis';
import { ROOT } from '../build-package.ts';
import { runCommand } from '../run-command.ts';
import { callKinesis } from './call-kinesis.ts';
import { type CheckOutcome, requireInOrder } from './check-outcome.ts';
import { storedNumbers } from './stored-numbers.ts';

const SCRIPTS = join(ROOT, 'infra/packages/foreign-clients/python');
const PACKAGES = ['boto3==1.43.117', 'aws-kinesis-agg==1.2.3', 'aiokpl==0.2.0'] as const;
/** A command of jmespath, which boto3 needs: `python` is there before anything is installed. */
const BROUGHT_ALONG = 'jp.py';
const LIBRARIES = ['aws_kinesis_agg', 'aiokpl'] as const;
/** As aggregated_puts.py has them. */
const FLEET = { keys: 20, each: 50 };

/** boto3 calls every operation that it knows; aws_kinesis_agg and aiokpl put aggregates, of which every record is stored in order. */
export async function pythonChecks(): Promise<CheckOutcome> {
  const [boto3, ...others] = PACKAGES;
  const tool = await pythonTool(boto3, BROUGHT_ALONG, others);
  if (!tool.isThere) return { kind: 'skipped', reason: tool.reason };
  const python = (script: string, ...parameters: readonly string[]) =>
    runCommand(join(tool.binDir, 'python'), [join(SCRIPTS, script), ...parameters], { cwd: ROOT });
  const kinesis = await startLocalKinesis({ shards: 2 });
  try {
    const lines = [await python('every_operation.py', kinesis.url)];
    for (const library of LIBRARIES) {
      const stream = library.replaceAll('_', '-');
      await callKinesis(kinesis.url, 'CreateStream', { StreamName: stream, ShardCount: 2 });
      await python('aggregated_puts.py', library, kinesis.url, stream);
      const { numbers, aggregates } = storedNumbers(kinesis, stream);
      requireInOrder(library, numbers, FLEET);
      lines.push(`${library}: ${FLEET.keys * FLEET.each} records in ${aggregates} aggregates, in order`);
    }
    return { kind: 'passed', seen: lines.map((line) => line.trim()).join('\n') };
  } finally {
    await kinesis.close();
  }
}
