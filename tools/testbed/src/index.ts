// The scripted model
export { startModelServer } from './model/model-server.ts';
export type { ModelServer, ModelServerOptions } from './model/model-server.ts';
export type { RequestPredicate } from './model/request-log.ts';
export type { ModelRequest, RequestOutcome } from './model/model-request.ts';

// Scripts
export {
  credentialIs,
  fromSubagent,
  latestPromptIncludes,
  playScript,
  promptIncludes,
  routeScripts,
} from './model/model-script.ts';
export type { AnswerRequest, ModelScript, ScriptRoute } from './model/model-script.ts';
export { cutStream, failWith, hang, say, sayLines, useTool, useTools } from './model/step-builders.ts';
export type {
  CutPoint,
  CutStep,
  ErrorStep,
  HangStep,
  LongStep,
  ModelStep,
  Pace,
  StopReason,
  TextStep,
  ToolsStep,
  ToolUse,
} from './model/model-step.ts';
export { parseScript, readScript } from './model/script-file.ts';

// What the model was told
export { estimateTokens } from './model/model-message.ts';
export { lastToolResults, promptTexts, systemTexts, userTexts } from './model/messages-body.ts';
export type { ContentBlock, MessagesBody, ToolResult } from './model/messages-body.ts';

// Real repositories, folders and the real CLI
export { createGitRepository, isolatedGitEnvironment } from './git/git-repository.ts';
export type { GitRepository, GitRepositoryOptions } from './git/git-repository.ts';
export { temporaryFolder } from './temporary-folder.ts';
export type { TemporaryFolder } from './temporary-folder.ts';
export { claudeBinary } from './claude/claude-binary.ts';
export { agentEnvironment, testbedApiKey } from './claude/agent-environment.ts';
export type { AgentEnvironmentOptions } from './claude/agent-environment.ts';
export { optionalTool } from './optional-tool.ts';
export type { OptionalTool } from './optional-tool.ts';
