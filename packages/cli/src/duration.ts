import { SemoError } from 'semo-office';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A time such as `500ms`, `30s`, `10m`, `1.5h` or `2d`, in milliseconds; a bare number is seconds.
 *
 * @throws SemoError `invalid_argument`.
 */
export function parseDuration(text: string): number {
  const [, number = '', unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim()) ?? [];
  const ms = Math.round(Number(number) * (UNITS[unit] ?? Number.NaN));
  if (number !== '' && ms > 0) return ms;
  throw new SemoError('invalid_argument', `${JSON.stringify(text)} is no time. Write 500ms, 30s, 10m, 2h or 1d.`);
}
