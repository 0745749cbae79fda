import {
  SCRIPTED_PROMPTS,
  SCRIPTED_SLOT,
  createScriptedSessions,
  describeSessionManagerContract,
  scriptedSpec,
} from '../../testing/index.ts';

describeSessionManagerContract('scripted sessions', {
  prompts: SCRIPTED_PROMPTS,
  canReset: true,
  slot: SCRIPTED_SLOT,
  async open() {
    const sessions = createScriptedSessions();
    return { sessions, specFor: scriptedSpec, close: () => sessions.close() };
  },
});
