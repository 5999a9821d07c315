import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A mapping of flat payloads and of payloads with several readings; `unit` is that of their times. */
export function fleetMapping(version: number, unit: 'seconds' | 'milliseconds'): string {
  const event = (deviceId: string, path: string) =>
    `event: { deviceId: ${deviceId}, time: { path: ${path}, steps: [{ time: { unit: ${unit} } }] }, data: { object: { temp: temp } } }`;
  return `
language: 1
mapping: fleet
version: ${version}
rules:
  - { name: ping, when: [{ value: ping, exists: true }], ignore: says nothing }
  - { name: readings, when: [{ value: readings, exists: true }], each: { path: readings }, ${event('$payload.id', 'ts')} }
  - { name: flat, when: [{ value: ${version === 1 ? 'id' : 'temp'}, exists: true }], ${event(version === 1 ? 'id' : '{ first: [id, serial] }', 'ts')} }
`;
}

/** Writes it to a file, and returns its path. */
export function fleetMappingFile(folder: string, version: number, unit: 'seconds' | 'milliseconds'): string {
  const path = join(folder, `fleet-${version}.yaml`);
  writeFileSync(path, fleetMapping(version, unit));
  return path;
}
