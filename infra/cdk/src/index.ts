export { BUNDLE_FILE, BUNDLE_NAMES, type Bundle, type BundleName, bundle } from './bundles.ts';
export { mappingProperties } from './constructs/stream-consumer.ts';
