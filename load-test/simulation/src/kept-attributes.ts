import { attributeNameBytes, compareVersions, LABELS, type StoredEvent } from '@twinstream/device-model';

/**
 * Which attributes a state keeps, by definition: all versions from the newest down, as long as every name that has one of
 * them fits; labels always. An oracle: it knows every name that ever was.
 */
export function keptAttributes(
  newest: ReadonlyMap<string, StoredEvent>,
  nameBytesMax: number,
): ReadonlyMap<string, StoredEvent> {
  const labels: readonly string[] = LABELS;
  const kept = new Map([...newest].filter(([name]) => labels.includes(name)));
  const falling = [...newest]
    .filter(([name]) => !labels.includes(name))
    .sort(([, a], [, b]) => compareVersions(b.version, a.version));
  let bytes = 0;
  for (const [, { version }] of falling) {
    const group = falling.filter(([, rival]) => compareVersions(rival.version, version) === 0);
    const isFirst = group.every(([name]) => !kept.has(name));
    if (!isFirst) continue;
    bytes += group.reduce((sum, [name]) => sum + attributeNameBytes(name), 0);
    if (bytes > nameBytesMax) break;
    for (const [name, stored] of group) kept.set(name, stored);
  }
  return kept;
}
