/*
 * The write statements of PartiQL that this project's stores send, and no others:
 *
 *   INSERT INTO "table" VALUE {'name': ?, …}
 *   UPDATE "table" SET "name"=? … REMOVE "name" … WHERE "key"=? AND … (condition)
 *
 * Every value is a parameter. A condition compares attributes with parameters (=, <>, <, <=, >, >=), asks IS MISSING or
 * IS NOT MISSING, and joins by AND, OR and parentheses. Grammar: "PartiQL for DynamoDB statements", developer guide,
 * read 2026-11.
 */

/** A statement whose text was read. Parameters are named by their index in the statement. */
export type WriteStatement = InsertStatement | UpdateStatement;

export interface InsertStatement {
  readonly kind: 'insert';
  readonly tableName: string;
  /** Attribute names; the value of each is the parameter of the same index. */
  readonly names: readonly string[];
}

export interface UpdateStatement {
  readonly kind: 'update';
  readonly tableName: string;
  readonly sets: readonly Assignment[];
  readonly removes: readonly string[];
  readonly where: Condition;
}

export interface Assignment {
  readonly name: string;
  readonly parameter: number;
}

export const COMPARISONS = ['=', '<>', '<=', '<', '>=', '>'] as const;
export type Comparison = (typeof COMPARISONS)[number];

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly of: readonly [Condition, Condition] }
  | { readonly kind: 'missing' | 'present'; readonly name: string }
  | { readonly kind: Comparison; readonly name: string; readonly parameter: number };

/** A statement that cannot be served here; the message says where and what is served. */
export class UnsupportedStatement extends Error {}

/** "Quotas in Amazon DynamoDB": characters of a PartiQL statement, read 2026-11. */
const STATEMENT_CHARACTERS_MAX = 8_192;
const TOKEN = /\s*(?:("(?:[^"]|"")*")|('(?:[^']|'')*')|([A-Za-z_][A-Za-z0-9_]*)|(<>|<=|>=|[=<>?{}(),:]))/y;

interface Token {
  readonly kind: 'identifier' | 'string' | 'word' | 'sign';
  readonly text: string;
  readonly at: number;
}

/** Reads one statement. Throws {@link UnsupportedStatement}. */
export function parseWriteStatement(text: string): WriteStatement {
  if (text.length > STATEMENT_CHARACTERS_MAX) {
    throw new UnsupportedStatement(`a statement has at most ${STATEMENT_CHARACTERS_MAX} characters`);
  }
  const reader = new StatementReader(tokensOf(text));
  const statement = reader.takesWord('INSERT') ? readInsert(reader) : readUpdate(reader);
  reader.end();
  return statement;
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const trimmed = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < trimmed.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(trimmed);
    if (match === null) throw new UnsupportedStatement(`unexpected text at character ${at + 1}`);
    const [, identifier, string, word, sign = ''] = match;
    if (identifier !== undefined) tokens.push({ kind: 'identifier', text: unquoted(identifier, '"'), at });
    else if (string !== undefined) tokens.push({ kind: 'string', text: unquoted(string, "'"), at });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, at });
    else tokens.push({ kind: 'sign', text: sign, at });
  }
  return tokens;
}

function unquoted(text: string, quote: string): string {
  return text.slice(1, -1).replaceAll(quote + quote, quote);
}

class StatementReader {
  readonly #tokens: readonly Token[];
  #next = 0;
  #parameters = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  takesWord(word: string): boolean {
    return this.#takes((token) => token.kind === 'word' && token.text.toUpperCase() === word);
  }

  takesSign(sign: string): boolean {
    return this.#takes((token) => token.kind === 'sign' && token.text === sign);
  }

  word(word: string): void {
    if (!this.takesWord(word)) this.fail(word);
  }

  sign(sign: string): void {
    if (!this.takesSign(sign)) this.fail(sign);
  }

  /** A name, quoted or not. */
  name(): string {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'identifier' && token?.kind !== 'word') return this.fail('a name');
    this.#next += 1;
    return token.text;
  }

  string(): string {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'string') return this.fail('a name in single quotes');
    this.#next += 1;
    return token.text;
  }

  parameter(): number {
    this.sign('?');
    this.#parameters += 1;
    return this.#parameters - 1;
  }

  end(): void {
    if (this.#next < this.#tokens.length) this.fail('the end of the statement');
  }

  fail(expected: string): never {
    const token = this.#tokens[this.#next];
    const found = token === undefined ? 'the end' : `"${token.text}" at character ${token.at + 1}`;
    throw new UnsupportedStatement(`expected ${expected}, found ${found}`);
  }

  #takes(fits: (token: Token) => boolean): boolean {
    const token = this.#tokens[this.#next];
    if (token === undefined || !fits(token)) return false;
    this.#next += 1;
    return true;
  }
}

function readInsert(reader: StatementReader): InsertStatement {
  reader.word('INTO');
  const tableName = reader.name();
  reader.word('VALUE');
  reader.sign('{');
  const names: string[] = [];
  do {
    names.push(reader.string());
    reader.sign(':');
    reader.parameter();
  } while (reader.takesSign(','));
  reader.sign('}');
  return { kind: 'insert', tableName, names };
}

function readUpdate(reader: StatementReader): UpdateStatement {
  if (!reader.takesWord('UPDATE')) reader.fail('INSERT or UPDATE');
  const tableName = reader.name();
  const sets: Assignment[] = [];
  const removes: string[] = [];
  while (!reader.takesWord('WHERE')) {
    if (reader.takesWord('SET')) {
      const name = reader.name();
      reader.sign('=');
      sets.push({ name, parameter: reader.parameter() });
    } else {
      reader.word('REMOVE');
      removes.push(reader.name());
    }
  }
  return { kind: 'update', tableName, sets, removes, where: readEither(reader) };
}

function readEither(reader: StatementReader): Condition {
  let condition = readBoth(reader);
  while (reader.takesWord('OR')) condition = { kind: 'or', of: [condition, readBoth(reader)] };
  return condition;
}

function readBoth(reader: StatementReader): Condition {
  let condition = readTerm(reader);
  while (reader.takesWord('AND')) condition = { kind: 'and', of: [condition, readTerm(reader)] };
  return condition;
}

function readTerm(reader: StatementReader): Condition {
  if (reader.takesSign('(')) {
    const inner = readEither(reader);
    reader.sign(')');
    return inner;
  }
  const name = reader.name();
  if (reader.takesWord('IS')) {
    const kind = reader.takesWord('NOT') ? 'present' : 'missing';
    reader.word('MISSING');
    return { kind, name };
  }
  const kind = COMPARISONS.find((sign) => reader.takesSign(sign)) ?? reader.fail('a comparison');
  return { kind, name, parameter: reader.parameter() };
}
