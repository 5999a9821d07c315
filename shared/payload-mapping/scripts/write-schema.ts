import { writeFileSync } from 'node:fs';
import { mappingJsonSchema } from '@twinstream/payload-mapping';

// Run after a change of the mapping language, then `npx biome check --write mappings`; a test says when.
const path = new URL('../../../mappings/mapping.schema.json', import.meta.url);
writeFileSync(path, `${JSON.stringify(mappingJsonSchema(), null, 2)}\n`);
