import { fileURLToPath } from 'node:url';

/**
 * The folder of this package that is laid out as a project's own `supabase/`: `migrations/*.sql`, and `tests/*.sql` for pgTAP.
 *
 * @example
 * ```ts
 * await cp(join(supabaseFolder, 'migrations'), 'supabase/migrations', { recursive: true });
 * ```
 */
export const supabaseFolder: string = fileURLToPath(new URL('../supabase', import.meta.url));
