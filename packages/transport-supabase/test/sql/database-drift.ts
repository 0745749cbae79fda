import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { readCatalogue } from './catalogue.ts';
import { databaseType } from './database-type.ts';
import type { Stage } from './stage.ts';

const DATABASE = fileURLToPath(new URL('../../src/database/database.ts', import.meta.url));

/** What TypeScript is told of the database. */
export function describeDatabaseDrift(stage: () => Stage): void {
  describe('types', () => {
    it('are those of the database; vitest -u writes them', async () => {
      const source = databaseType(await readCatalogue(stage().postgres));
      await expect(source).toMatchFileSnapshot(DATABASE);
    });
  });
}
