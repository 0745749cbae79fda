import { readdir, readFile } from 'node:fs/promises';
import { Client, type QueryResult } from 'pg';
import { describe, expect, it } from 'vitest';

import type { Stage } from './stage.ts';

const TESTS = new URL('../../supabase/tests/', import.meta.url);
const STAND_IN = new URL('pgtap-stand-in.sql', import.meta.url);
const EXTENSION = 'create extension if not exists pgtap with schema extensions;';

/** The files that users run with `supabase test db`. */
export function describePgtap(stage: () => Stage): void {
  describe('pgTAP files', () => {
    it('pass', async () => {
      const standIn = await readFile(STAND_IN, 'utf8');
      const files = (await readdir(TESTS)).toSorted();
      expect(files.length).toBeGreaterThan(0);
      for (const file of files) {
        const text = await readFile(new URL(file, TESTS), 'utf8');
        expect(text).toContain(EXTENSION);
        const lines = await outputOf(
          stage(),
          text.replace(EXTENSION, () => standIn),
        );
        const [plan, ...tests] = lines.filter((line) => /^(1\.\.|ok|not ok|# planned)/.test(line));
        expect(tests.filter((line) => !line.startsWith('ok'))).toEqual([]);
        expect(plan).toBe(`1..${tests.length}`);
      }
    });
  });
}

/** What the statements of a script give, one line for each value. */
async function outputOf({ postgres }: Stage, script: string): Promise<string[]> {
  const client = new Client(postgres.connection());
  await client.connect();
  try {
    // Several statements give a list of results, which the types of `pg` do not tell.
    const results = (await client.query(script)) as unknown as QueryResult<Record<string, unknown>>[];
    return results.flatMap(({ rows }) => rows.flatMap((row) => Object.values(row).map(String)));
  } finally {
    await client.end();
  }
}
