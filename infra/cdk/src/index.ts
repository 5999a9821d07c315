export { type Bundle, bundle } from './bundles.ts';
export { BUNDLE_FILE, BUNDLE_NAMES, type BundleName } from './code-folders.ts';
export { mappingProperties } from './constructs/stream-consumer.ts';
