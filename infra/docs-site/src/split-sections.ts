import { headings, proseLines } from './headings.ts';

/** A section of a long document that is a page of its own on the site. */
export interface SectionPage {
  /** The heading of level 2, as it stands. */
  readonly title: string;
  /** Path of its page on the site: `/reference/error-codes`. */
  readonly path: string;
}

/** A text of a page, and its path. */
export interface PageText {
  readonly path: string;
  readonly text: string;
}

/**
 * Takes sections out of a document, each to a page of its own whose headings rise by one level; a link to the page stands in their place. Throws where the document
 * has no such section.
 */
export function splitSections(document: PageText, sections: readonly SectionPage[]): readonly PageText[] {
  const lines = document.text.split('\n');
  const tops = headings(document.text).filter(({ level }) => level === 2);
  const pieces = new Map<SectionPage, { start: number; end: number }>();
  for (const section of sections) {
    const index = tops.findIndex(({ title }) => title === section.title);
    const top = tops[index];
    if (top === undefined) throw new Error(`${document.path} has no section "${section.title}"`);
    pieces.set(section, { start: top.line, end: tops[index + 1]?.line ?? lines.length });
  }
  const rest = lines.flatMap((line, index) => {
    for (const [{ title, path }, { start, end }] of pieces) {
      if (index === start) return [line, '', `See [${title}](${path}).`, ''];
      if (index > start && index < end) return [];
    }
    return [line];
  });
  const taken = [...pieces].map(([{ path }, { start, end }]) => ({
    path,
    text: raised(lines.slice(start, end)),
  }));
  return [{ path: document.path, text: rest.join('\n') }, ...taken];
}

function raised(lines: readonly string[]): string {
  const isProse = proseLines(lines);
  return lines.map((line, index) => (isProse[index] ? line.replace(/^#(#+\s)/, '$1') : line)).join('\n');
}
