import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { useCodeFolder } from '@twinstream/cdk/code-folders';

const LAMBDAS = fileURLToPath(new URL('./lambdas/', import.meta.url));
useCodeFolder('state-projector', join(LAMBDAS, 'state-projector'));

/** Constructs of the AWS CDK whose functions are built already. */
export {
  TwinstreamProjector,
  type TwinstreamProjectorProps,
  type TwinstreamTables,
} from '@twinstream/cdk/twinstream-projector';
