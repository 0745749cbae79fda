import type { Kind } from './kind.ts';

/** How the agent is spoken with: on a terminal's alternate or classic screen, or over pipes. */
export type Face = 'alternate' | 'classic' | 'stream';

/** Where a turn takes place: everything that must make no difference to the verdict. */
export interface Setting {
  readonly face: Face;
  /** The terminal's width; pipes have none. */
  readonly cols: number | null;
}

/** The widths that are tried. */
const WIDTHS = [40, 80, 120, 200] as const;

/** All settings: each screen at each width, and pipes. */
export const settings: readonly Setting[] = [
  ...(['alternate', 'classic'] as const).flatMap((face) => WIDTHS.map((cols) => ({ face, cols }))),
  { face: 'stream', cols: null },
];

/** One kind of turn in one setting. */
export interface Trial {
  readonly kind: Kind;
  readonly setting: Setting;
}

/** Every kind in every setting. */
export function everyTrial(kinds: readonly Kind[]): Trial[] {
  return kinds.flatMap((kind) => settings.map((setting) => ({ kind, setting })));
}

/**
 * A few trials that stand for all: each kind at least once over pipes or in a terminal, and every family together with
 * every face and every width. Always the same ones.
 */
export function pairwiseTrials(kinds: readonly Kind[]): Trial[] {
  const missing = new Set(kinds.flatMap(({ family }) => settings.flatMap((setting) => pairsOf(family, setting))));
  return kinds.map((kind) => {
    const gain = (setting: Setting) => pairsOf(kind.family, setting).filter((pair) => missing.has(pair)).length;
    const setting = settings.reduce((best, next) => (gain(next) > gain(best) ? next : best));
    for (const pair of pairsOf(kind.family, setting)) missing.delete(pair);
    return { kind, setting };
  });
}

/**
 * Of these, the ones that need the real CLI at every run of the tests: what first brings a family together with a face, or a
 * face with a width, and each kind that no recording stands for. The other recordings are played to the same drivers.
 */
export function liveTrials(kinds: readonly Kind[], isRecorded: (kind: Kind) => boolean): Trial[] {
  const met = new Set<string>();
  return pairwiseTrials(kinds).filter(({ kind, setting }) => {
    const pairs = [`${kind.family}/${setting.face}`, settingName(setting)];
    const isNew = pairs.some((pair) => !met.has(pair));
    for (const pair of pairs) met.add(pair);
    return isNew || !isRecorded(kind);
  });
}

function pairsOf(family: string, { face, cols }: Setting): string[] {
  return [`${family}/${face}`, `${family}/${cols}`, `${face}/${cols}`];
}

/** A setting in a few words. */
export function settingName({ face, cols }: Setting): string {
  return cols === null ? face : `${face} ${cols}`;
}
