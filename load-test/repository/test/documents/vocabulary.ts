import { codeSpans, type MarkdownDocument, tableRows } from './markdown.ts';

/** A discouraged term where it stands. */
export interface DiscouragedTerm {
  readonly line: number;
  readonly term: string;
}

/** Finds discouraged terms in a text, in the order of the table that names them. */
export type TermFinder = (text: string) => readonly string[];

/** A text of a document or a program, with the line on which it begins, from 1. */
interface NumberedText {
  readonly number: number;
  readonly text: string;
}

/**
 * Reads the table of preferred terms: every code span of the first column is a term to find. Terms are whole words, case is
 * ignored, and a space of a term matches any white space. Throws a RangeError where a row names neither a term nor a review.
 */
export function termFinder(contributing: MarkdownDocument): TermFinder {
  const patterns = tableRows(contributing, '## Preferred terms').flatMap(([discouraged = '']) => {
    const terms = codeSpans(discouraged);
    if (terms.length === 0 && !discouraged.endsWith('(by review)')) {
      throw new RangeError(`neither a term between backticks nor "by review": ${discouraged}`);
    }
    return terms.map((term) => ({ term, pattern: patternOf(term) }));
  });
  return (text) => patterns.filter(({ pattern }) => pattern.test(text)).map(({ term }) => term);
}

function patternOf(term: string): RegExp {
  const words = term.split(' ').map((word) => RegExp.escape(word));
  return new RegExp(`(?<![\\w-])${words.join('\\s+')}(?![\\w-])`, 'i');
}

/** Discouraged terms in the prose of a document. Code spans quote names and data, and are skipped. */
export function discouragedInDocument(
  { prose }: Pick<MarkdownDocument, 'prose'>,
  find: TermFinder,
): readonly DiscouragedTerm[] {
  return paragraphs(prose).flatMap((paragraph) => located(paragraph, find));
}

/** Discouraged terms in the string literals and comments of a TypeScript source, its JSX text included. */
export function discouragedInSource(source: string, find: TermFinder): readonly DiscouragedTerm[] {
  return texts(source).flatMap((text) => located(text, find));
}

function located({ number, text }: NumberedText, find: TermFinder): readonly DiscouragedTerm[] {
  return find(text).map((term) => ({ line: number, term }));
}

/** Lines up to an empty one are joined, because a term may begin on one line and end on the next. Rows of tables stand alone. */
function paragraphs(prose: MarkdownDocument['prose']): readonly NumberedText[] {
  const joined: { number: number; text: string }[] = [];
  let isOpen = false;
  for (const { number, text } of prose) {
    const words = text.replaceAll(/`[^`]*`/g, '`').replaceAll(/\]\([^)]*\)/g, ']');
    const isAlone = text.startsWith('|') || /^#+ /.test(text);
    const last = joined.at(-1);
    if (isOpen && !isAlone && last !== undefined) last.text += ` ${words}`;
    else joined.push({ number, text: words });
    isOpen = text.trim() !== '' && !isAlone;
  }
  return joined;
}

/**
 * One token of a source, as far as texts need it. Comments and regular expressions come first, since quotes in them begin no
 * literal. A slash begins a regular expression where no operand stands before it.
 */
const TOKEN =
  /(?<comment>\/\/[^\n]*(?:\n\s*\/\/[^\n]*)*|\/\*[\s\S]*?\*\/)|(?<=[(,=:[!&|?{};]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/|'(?<single>(?:\\.|[^'\\\n])*)'|"(?<double>(?:\\.|[^"\\\n])*)"|(?<jsx>(?<=[\w"'}]\s*>)[^<>{}=;()]+(?=[<{]))|(?<mark>[`{}])/gs;

/** Texts of comments, of string literals and of the fixed parts of templates. An expression within a template is code again. */
function texts(source: string): readonly NumberedText[] {
  const found: NumberedText[] = [];
  const add = (text: string | undefined, index: number) => {
    if (text === undefined) return;
    found.push({ number: source.slice(0, index).split('\n').length, text: text.replaceAll(/\\n/g, ' ') });
  };
  /** Open braces of each template expression around the current place. */
  const depths: number[] = [];
  TOKEN.lastIndex = 0;
  const template = (start: number): number => {
    const end = /(?:\\.|\$(?!\{)|[^`\\$])*/sy;
    end.lastIndex = start;
    const text = end.exec(source)?.[0] ?? '';
    add(text, start);
    const next = start + text.length;
    if (source.startsWith('${', next)) {
      depths.push(0);
      return next + 2;
    }
    return next + 1;
  };
  for (let match = TOKEN.exec(source); match !== null; match = TOKEN.exec(source)) {
    const { comment, single, double, jsx, mark } = match.groups ?? {};
    add(comment === undefined ? (single ?? double ?? jsx) : wordsOf(comment), match.index);
    const depth = depths.at(-1);
    if (mark === '`') TOKEN.lastIndex = template(match.index + 1);
    else if (mark === '{' && depth !== undefined) depths[depths.length - 1] = depth + 1;
    else if (mark === '}' && depth !== undefined) {
      depths[depths.length - 1] = depth - 1;
      if (depth === 0) {
        depths.pop();
        TOKEN.lastIndex = template(match.index + 1);
      }
    }
  }
  return found;
}

/** A comment without its marks and its code spans, on one line. */
function wordsOf(comment: string): string {
  return comment.replaceAll(/\s*\n\s*(?:\*(?!\/)|\/\/)?\s*/g, ' ').replaceAll(/`[^`]*`/g, '`');
}
