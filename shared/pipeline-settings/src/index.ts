export * from './iot-rule.ts';
export * from './mapping-settings.ts';
export * from './names.ts';
export * from './object-prefixes.ts';
export * from './page-writing.ts';
