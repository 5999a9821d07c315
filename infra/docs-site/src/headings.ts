/** A heading of a Markdown text, in the order of the text. */
export interface Heading {
  /** 1 to 6. */
  readonly level: number;
  readonly title: string;
  /** Index of its line, from 0. */
  readonly line: number;
  /** Unique within the text. */
  readonly anchor: string;
}

/** The anchor of a heading as GitHub makes it, so that one link holds on GitHub and on the site. */
export function slug(title: string): string {
  return title
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

/** Which lines stand in prose: false for fenced code and its fences. */
export function proseLines(lines: readonly string[]): readonly boolean[] {
  let isFenced = false;
  return lines.map((line) => {
    const isFence = /^\s*```/.test(line);
    if (isFence) isFenced = !isFenced;
    return !isFence && !isFenced;
  });
}

/** The headings of a Markdown text; those of a fenced block are none. */
export function headings(text: string): readonly Heading[] {
  const lines = text.split('\n');
  const isProse = proseLines(lines);
  const anchors = new Set<string>();
  return lines.flatMap((text, line) => {
    const [, hashes = '', title = ''] = isProse[line] ? (/^(#{1,6})\s+(.*)$/.exec(text) ?? []) : [];
    if (hashes === '') return [];
    const first = slug(title);
    let anchor = first;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${first}-${count}`;
    anchors.add(anchor);
    return [{ level: hashes.length, title, line, anchor }];
  });
}

/** The title of a page: its first heading, without backticks. Throws where there is none. */
export function titleOf(text: string, path: string): string {
  const title = headings(text).find(({ level }) => level === 1)?.title;
  if (title === undefined) throw new Error(`${path} has no title`);
  return title.replaceAll('`', '');
}
