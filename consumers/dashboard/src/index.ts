/** Folder of the built page (`npm run build`): static files, to be served as they are, with `index.html` for `/`. */
export const builtPageFolder: URL = new URL('../dist/', import.meta.url);
