/** A package that others install. Its folder here holds `index.ts`, what it exports, and its README. */
export interface PublicPackage {
  readonly name: string;
  readonly folder: string;
  readonly description: string;
  readonly keywords: readonly string[];
}

export const PUBLIC_PACKAGES: readonly PublicPackage[] = [
  {
    name: '@twinstream/kpl-aggregation',
    folder: 'kpl-aggregation',
    description:
      'Encodes and decodes the aggregation format of the Kinesis Producer Library. No dependencies.',
    keywords: ['kinesis', 'kpl', 'aggregation', 'deaggregation', 'protobuf'],
  },
];
