import type { TurnError } from '@semo-office/core';

/**
 * What Claude Code passes on of a limit, seen with 2.1.329:
 *
 * - A claude.ai usage limit (`anthropic-ratelimit-unified-*`, only with an OAuth token): the epoch second in
 *   `rate_limit_event` and in the transcript, and a sentence, `resets 11:24am (UTC)`, in the time zone of the agent. The
 *   StopFailure hook has the sentence alone, and the transcript is not yet written then.
 * - `retry-after` of up to 60 s: the CLI waits that long and up to a quarter more, told as the delay of `api_retry`. With no
 *   repeat left, or for longer times, it fails at once and tells nobody. A date in `retry-after` and
 *   `anthropic-ratelimit-requests-reset` it does not read, nor `unified-*` with an API key.
 * - A spending limit of an API account: a 400 whose sentence has the day.
 */
const IN_WORDS =
  /\bresets? (?:at )?(?:([A-Z][a-z]{2}) (\d{1,2}),? (?:(\d{4}), )?(?:at )?)?(\d{1,2})(?::(\d{2}))? ?([ap])m(?: \(([A-Za-z0-9_+/-]{1,64})\))?/i;
const REGAINED = /\bregain access on (\d{4})-(\d{2})-(\d{2}) at (\d{2}):(\d{2}) UTC/;
/** What versions of 2025 said: `Claude AI usage limit reached|1752300000`. */
const EPOCH = /\busage limit reached\|(\d{10})\b/;
const QUOTA =
  /\b(?:hit|reached|exceeded) your (?:[a-z0-9]+[ -]){0,4}limits?\b|usage limit reached|specified API usage limits/i;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** A sentence is read up to here; the longest that was seen has 130 characters. */
const READ_CHARACTERS = 1000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;
/** The CLI's own pauses double from half a second, are 32 s at most, and up to a quarter longer by chance. */
const OWN_PAUSE_MS = 500;
const LONGEST_OWN_PAUSE_MS = 32_000;
const CHANCE = 1.25;

/** What is known of the limit that a sentence of the agent tells of. `now` is when it was said, epoch milliseconds. */
export function limitInWords(said: string, now: number): Pick<TurnError, 'retryAt' | 'limit'> {
  const sentence = said.slice(0, READ_CHARACTERS);
  const retryAt = resetInWords(sentence, now);
  return { ...(retryAt === undefined ? {} : { retryAt }), limit: isQuota(sentence) ? 'quota' : 'rate' };
}

/** Whether a sentence tells of a limit over hours or days, which no repeat gets past. */
export function isQuota(said: string): boolean {
  // "(not your usage limit)" is said of the other kind.
  return !/\bnot your usage limit\b/.test(said) && QUOTA.test(said.slice(0, READ_CHARACTERS));
}

/**
 * How long the server told the agent to wait, by the pause it makes before an attempt; `undefined` where the pause is one
 * of its own making. Up to a quarter longer than what was stated, never shorter.
 */
export function statedPauseMs({
  attempt,
  delayMs,
}: {
  readonly attempt: number;
  readonly delayMs: number;
}): number | undefined {
  const own = Math.min(LONGEST_OWN_PAUSE_MS, OWN_PAUSE_MS * 2 ** Math.max(0, attempt - 1)) * CHANCE;
  return delayMs > own ? delayMs : undefined;
}

function resetInWords(said: string, now: number): number | undefined {
  const epoch = EPOCH.exec(said)?.[1];
  if (epoch !== undefined) return Number(epoch) * 1000;
  const regained = REGAINED.exec(said);
  if (regained !== null) {
    const [, year, month, day, hour, minute] = regained.map(Number);
    return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute);
  }
  const at = wallTimeIn(said, now);
  // Seconds are left out, so it may be up to a minute later.
  return at === undefined ? undefined : at + MINUTE_MS;
}

/** Without a zone it is not said which clock is meant, and a wrong hour is worse than none. */
function wallTimeIn(said: string, now: number): number | undefined {
  const [, month, day, year, hour, minute = '0', half, zone] = IN_WORDS.exec(said) ?? [];
  if (hour === undefined || half === undefined || zone === undefined) return undefined;
  const clock = zoneClock(zone);
  if (clock === undefined || Number.isNaN(now) || Number(hour) > 12 || Number(minute) > 59) return undefined;
  const hours = (Number(hour) % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
  const today = new Date(clock.wallTime(now));
  const at = (y: number, m: number, d: number) => clock.instant(Date.UTC(y, m, d, hours, Number(minute)));
  if (month === undefined || day === undefined) {
    const [y, m, d] = [today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate()] as const;
    // The very minute in which it is said counts as now, not as tomorrow.
    return [d, d + 1].map((each) => at(y, m, each)).find((instant) => instant > now - MINUTE_MS);
  }
  const index = MONTHS.indexOf(month.toLowerCase());
  if (index === -1) return undefined;
  if (year !== undefined) return at(Number(year), index, Number(day));
  const thisYear = today.getUTCFullYear();
  return [thisYear, thisYear + 1].map((each) => at(each, index, Number(day))).find((instant) => instant > now - DAY_MS);
}

/** A zone's clock on the wall, both ways, as if it showed UTC; `undefined` for a zone that this machine does not know. */
function zoneClock(timeZone: string) {
  try {
    const zone = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const wallTime = (instant: number) => {
      const parts = Object.fromEntries(zone.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
      const { year = 0, month = 1, day, hour, minute, second } = parts;
      return Date.UTC(year, month - 1, day, hour, minute, second);
    };
    // The first guess may be on the other side of a change of clocks; the second is not.
    const closer = (wall: number, guess: number) => guess + wall - wallTime(guess);
    return { wallTime, instant: (wall: number) => closer(wall, closer(wall, wall)) };
  } catch {
    return undefined;
  }
}
