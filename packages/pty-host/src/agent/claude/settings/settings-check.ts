import { SemoError } from '@semo-office/core';
import type { z } from 'zod';

import { ruleFault } from './rules.ts';
import { claudeSettingsSchema, type ClaudeSettings } from './settings-schema.ts';

const BYTE_ORDER_MARK = /^\uFEFF/;

/** Something in a settings file that Claude Code would leave out without a word, often with all the rest of the file. */
export interface SettingsFault {
  /** The field, for example `permissions.deny`; empty for the file itself. */
  readonly field: string;
  readonly problem: string;
  readonly instead: string;
}

/** Whether a settings file lets only listed addresses be called by hooks. */
export function limitsHookAddresses(text: string): boolean {
  const parsed = claudeSettingsSchema.safeParse(parse(text.replace(BYTE_ORDER_MARK, '')));
  return parsed.success && parsed.data.allowedHttpHookUrls !== undefined;
}

/** What of a settings file would be ignored. Pure; a field's value is never repeated, but for a rule's. */
export function settingsFaults(text: string): SettingsFault[] {
  const json = text.replace(BYTE_ORDER_MARK, '');
  // It has nothing in it that could be ignored.
  if (json.trim() === '') return [];
  const value = parse(json);
  if (value === undefined) {
    return [
      { field: '', problem: 'is not JSON', instead: 'JSON without comments and without commas at ends of lists' },
    ];
  }
  const parsed = claudeSettingsSchema.safeParse(value);
  return parsed.success ? ruleFaults(parsed.data) : parsed.error.issues.map(faultOf);
}

/**
 * Refuses rules for tools that the agent does not have that would not be heeded.
 * @throws SemoError `invalid_settings`.
 */
export function checkDisallowedTools(rules: readonly string[]): void {
  refuseFaults('disallowedTools', faultsIn('', rules));
}

/**
 * Refuses a settings file that the agent would not heed: rules that deny something must not get lost unseen.
 * @throws SemoError `invalid_settings`, naming file and field and saying what to write instead.
 */
export function checkSettingsText(file: string, text: string): void {
  refuseFaults(file, settingsFaults(text));
}

function refuseFaults(place: string, faults: readonly SettingsFault[]): void {
  if (faults.length === 0) return;
  const list = faults.map(({ field, problem, instead }) => `${field} ${problem}; write ${instead}.`.trim());
  throw new SemoError('invalid_settings', `Claude Code would ignore ${place}, or a part of it: ${list.join(' ')}`, {
    details: { place, fields: faults.map(({ field }) => field) },
  });
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function faultOf(issue: z.core.$ZodIssue): SettingsFault {
  const field = issue.path.map(String).join('.');
  const name = field === '' ? 'the file' : field;
  const instead = 'expected' in issue ? `${name} as ${issue.expected}` : `${name} as one of the values it may have`;
  return { field, problem: 'has a type or value that it cannot have', instead };
}

/** A rule that allows and is not heeded only makes the agent ask; one that denies or asks would be missed. */
function ruleFaults({ permissions = {} }: ClaudeSettings): SettingsFault[] {
  const { deny = [], ask = [] } = permissions;
  return [...faultsIn('permissions.deny ', deny), ...faultsIn('permissions.ask ', ask)];
}

function faultsIn(field: string, rules: readonly unknown[]): SettingsFault[] {
  return rules.flatMap((rule) => {
    const fault = ruleFault(rule);
    return fault === null ? [] : [{ ...fault, field: `${field}${JSON.stringify(rule)}` }];
  });
}
