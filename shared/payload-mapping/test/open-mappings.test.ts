import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownFormatDecoder } from '@twinstream/device-model';
import { mappingPlaces, openMappings, openMappingVersions } from '@twinstream/payload-mapping';
import { afterAll, describe, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'mappings-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
const documentOf = (name: string, version: number) =>
  `{language: 1, mapping: ${name}, version: ${version}, rules: [{name: all, event: {deviceId: id}}]}`;

describe('opening mappings', () => {
  test('reads files and objects, in the order in which they are tried', async () => {
    const path = file('one.yaml', documentOf('one', 3));
    const readObject = async (url: string) => documentOf(url === 's3://b/k.yaml' ? 'two' : 'other', 1);
    const places = mappingPlaces(` ${path} , s3://b/k.yaml`);
    expect((await openMappings(places, { readObject })).mappings).toEqual(['one@3', 'two@1']);
  });

  test('of none takes events of the own format alone', async () => {
    expect(await openMappings(mappingPlaces(''))).toBe(ownFormatDecoder);
  });

  test('names the place that cannot be read, and every fault of the documents', async () => {
    await expect(openMappings([join(folder, 'none.yaml')])).rejects.toMatchObject({
      code: 'MAPPING_UNREADABLE',
      message: expect.stringContaining('none.yaml'),
    });
    await expect(openMappings(['s3://bucket/key'])).rejects.toMatchObject({ code: 'MAPPING_UNREADABLE' });
    const faulty = file('faulty.yaml', '{language: 1, mapping: Faulty, version: 0, rules: []}');
    await expect(openMappings([faulty])).rejects.toMatchObject({
      code: 'INVALID_MAPPING',
      message: expect.stringMatching(/faulty.yaml: mapping: .*faulty.yaml: version: .*rules/s),
    });
    const twice = [file('a.yaml', documentOf('one', 1)), file('b.yaml', documentOf('one', 1))];
    await expect(openMappings(twice)).rejects.toMatchObject({ code: 'INVALID_MAPPING' });
  });

  test('takes the newest version of each, and has the earlier ones for a verification', async () => {
    const places = [1, 3, 2].map((version) => file(`one-${version}.yaml`, documentOf('one', version)));
    places.push(file('two.yaml', documentOf('two', 1)));
    expect((await openMappings(places)).mappings).toEqual(['one@3', 'two@1']);
    expect((await openMappingVersions(places)).map(({ mappings }) => mappings.join(' '))).toEqual([
      'one@3 two@1',
      'one@2 two@1',
      'one@1 two@1',
    ]);
  });
});
