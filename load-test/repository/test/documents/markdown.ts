/** A line of a document with its number, from 1. */
export interface NumberedLine {
  readonly number: number;
  readonly text: string;
}

/** A document, taken apart by lines. */
export interface MarkdownDocument {
  /** Lines outside of fenced blocks. */
  readonly prose: readonly NumberedLine[];
  /** Lines inside of fenced blocks marked `sh`. */
  readonly shell: readonly NumberedLine[];
  /** Languages of the fenced blocks, in order. */
  readonly languages: readonly string[];
}

const FENCE = /^\s*```(\w*)\s*$/;

export function parseMarkdown(text: string): MarkdownDocument {
  const prose: NumberedLine[] = [];
  const shell: NumberedLine[] = [];
  const languages: string[] = [];
  let language: string | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = FENCE.exec(line);
    if (fence !== null) {
      language = language === undefined ? (fence[1] ?? '') : undefined;
      if (language !== undefined) languages.push(language);
      continue;
    }
    const numbered = { number: index + 1, text: line };
    if (language === undefined) prose.push(numbered);
    else if (language === 'sh') shell.push(numbered);
  }
  if (language !== undefined) throw new RangeError('a fenced block is not closed');
  return { prose, shell, languages };
}

/** Anchors of the headings, as GitHub makes them. */
export function anchors({ prose }: Pick<MarkdownDocument, 'prose'>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { text } of prose) {
    const title = /^#{1,6}\s+(.*)$/.exec(text)?.[1];
    if (title === undefined) continue;
    const slug = title
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let unique = slug;
    for (let count = 1; found.has(unique); count += 1) unique = `${slug}-${count}`;
    found.add(unique);
  }
  return found;
}

/** Targets of links and images outside of code. */
export function linkTargets({ prose }: Pick<MarkdownDocument, 'prose'>): readonly NumberedLine[] {
  return prose.flatMap(({ number, text }) =>
    [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => ({ number, text: match[1] ?? '' })),
  );
}

function withoutCode(text: string): string {
  return text.replaceAll(/`[^`]*`/g, '');
}

/** What stands between backticks in one line. */
export function codeSpans(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}

/** Rows of all tables below a heading, up to the next heading of its level or above; cells trimmed, header and rule left out. */
export function tableRows(
  { prose }: Pick<MarkdownDocument, 'prose'>,
  heading: string,
): readonly (readonly string[])[] {
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const rows: (readonly string[])[] = [];
  let isInside = false;
  let isBody = false;
  for (const { text } of prose) {
    const hashes = /^#+(?=\s)/.exec(text)?.[0].length;
    if (hashes !== undefined) isInside = text.trim() === heading || (isInside && hashes > level);
    if (!isInside) continue;
    if (!text.startsWith('|')) isBody = false;
    else if (/^\|[\s|:-]+\|$/.test(text)) isBody = true;
    else if (isBody) rows.push(cells(text));
  }
  return rows;
}

function cells(row: string): readonly string[] {
  return row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}
