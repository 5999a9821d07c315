export { BUNDLE_NAMES, type Bundle, type BundleName, bundle } from './bundles.ts';
export { BUNDLE_FILE } from './code-folders.ts';
export { mappingProperties } from './constructs/stream-consumer.ts';
