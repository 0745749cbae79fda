import { z } from 'zod';

type WithoutDefault<Field> = Field extends z.ZodDefault<infer Inner> ? Inner : Field;
type SaidShape<Shape extends z.ZodRawShape> = { [Name in keyof Shape]: z.ZodOptional<WithoutDefault<Shape[Name]>> };

/**
 * The same fields, none of which must be there, and none of which is filled in: what is not said stays unsaid, so that
 * it overrules nothing. `partial()` alone would fill in the defaults.
 *
 * @example
 * ```ts
 * const said = z.strictObject(saidFields({ size: z.number().default(3) }));
 * said.parse({}); // {}
 * ```
 */
export function saidFields<Shape extends z.ZodRawShape>(shape: Shape): SaidShape<Shape> {
  const said = Object.entries(shape).map(([name, field]) => [
    name,
    z.optional(field instanceof z.ZodDefault ? field.unwrap() : field),
  ]);
  return Object.fromEntries(said) as SaidShape<Shape>;
}
