/** What a scrape is answered with: metrics in the text format of Prometheus, version 0.0.4. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

interface Family {
  /** `# HELP` and `# TYPE`, of the first text that has them. */
  readonly head: Map<string, string>;
  readonly samples: string[];
}

const DESCRIPTION = /^# (HELP|TYPE) (\S+)/;
const NAME = /^[^\s{]+/;

/**
 * Several texts as one. All lines of a metric stand together, as the format demands; texts that have a metric in common must tell their
 * samples apart by labels. Source: "Text-based format", "Grouping and sorting", Prometheus documentation, read 2026-12.
 */
export function mergeExpositions(texts: readonly string[]): string {
  const families = new Map<string, Family>();
  const familyOf = (name: string): Family => {
    const known = families.get(name) ?? { head: new Map(), samples: [] };
    families.set(name, known);
    return known;
  };
  for (const text of texts) {
    let family: Family | undefined;
    for (const line of text.split('\n')) {
      const [, kind, name] = DESCRIPTION.exec(line) ?? [];
      if (kind !== undefined && name !== undefined) {
        family = familyOf(name);
        if (!family.head.has(kind)) family.head.set(kind, line);
      } else if (line !== '' && !line.startsWith('#')) {
        // Samples of a histogram have other names than the metric, and follow its description.
        (family ?? familyOf(NAME.exec(line)?.[0] ?? '')).samples.push(line);
      }
    }
  }
  return [...families.values()]
    .flatMap(({ head, samples }) => [...head.values(), ...samples])
    .map((line) => `${line}\n`)
    .join('');
}
