import type { Report, RunOptions, Scale } from './measurement.ts';
import { measurements } from './measurements.ts';

/** Runs one measurement by name. */
export async function task({
  name,
  scale,
  ...options
}: RunOptions & { readonly name: string; readonly scale: Scale }): Promise<Report> {
  const measurement = measurements[name];
  if (measurement === undefined) throw new Error(`There is no measurement ${name}.`);
  return measurement.run(scale, options);
}
