/** A guarantee that did not hold, by the name it has in the documents. */
export class Violation extends Error {
  readonly guarantee: string;

  constructor(guarantee: string, detail: string) {
    super(`${guarantee}: ${detail}`);
    this.name = 'Violation';
    this.guarantee = guarantee;
  }
}
