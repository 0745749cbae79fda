import {
  SCRIPTED_PROMPTS,
  createScriptedSessions,
  describeSessionManagerContract,
  scriptedSpec,
} from '../../testing/index.ts';

describeSessionManagerContract('scripted sessions', {
  prompts: SCRIPTED_PROMPTS,
  canReset: true,
  async open() {
    const sessions = createScriptedSessions();
    return { sessions, specFor: scriptedSpec, close: () => sessions.close() };
  },
});
