/**
 * Characters with which stored text could move the cursor, hide or reorder what a person reads: control characters but
 * tab and line feed, and those that turn the direction of writing (Unicode 17, sections 23.1 and 23.3).
 */
const INVISIBLE = /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** The same text with such characters written as JSON writes them, so that JSON stays JSON and a terminal stays as it was. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
