// For users
export { SemoError, isSemoError, assertNever, ERROR_CLASSES, ERROR_CODES } from './errors.ts';
export type { ErrorClass, ErrorCode, SemoErrorOptions } from './errors.ts';
export { newId, idSchema } from './ids.ts';
export {
  sessionSpecSchema,
  sessionInfoSchema,
  sessionStatusSchema,
  agentSpecSchema,
  permissionModeSchema,
} from './session/session.ts';
export {
  CONTAINMENT_LEVELS,
  containmentGuaranteesSchema,
  containmentLevelSchema,
  containmentReportSchema,
  containmentSpecSchema,
  needsSandbox,
} from './session/containment.ts';
export type {
  ContainmentGuarantees,
  ContainmentLevel,
  ContainmentReport,
  ContainmentSpec,
  ResolvedContainmentSpec,
} from './session/containment.ts';
export type {
  AgentSpec,
  PermissionMode,
  ResolvedSessionSpec,
  SessionInfo,
  SessionSpec,
  SessionStatus,
} from './session/session.ts';
export { sessionLimitSchema, sessionLimitsSchema } from './session/session-limits.ts';
export type { SessionLimit, SessionLimits } from './session/session-limits.ts';
export { assignmentSchema, workspaceSchema, workspaceInfoSchema } from './session/workspace.ts';
export type { Assignment, ResolvedAssignment, Workspace, WorkspaceInfo } from './session/workspace.ts';
export {
  MAX_PROMPT_BYTES,
  outcomeSchema,
  confidenceSchema,
  promptOptionsSchema,
  requestExpirySchema,
  turnInfoSchema,
  turnStateSchema,
} from './session/turn.ts';
export type {
  Confidence,
  Outcome,
  PromptOptions,
  RequestExpiry,
  ResolvedPromptOptions,
  TurnInfo,
  TurnState,
} from './session/turn.ts';
export { outputRangeSchema, terminalSizeSchema } from './session/output.ts';
export type { OutputRange, OutputSlice, TerminalSize } from './session/output.ts';
export { humanAnswerSchema, humanRequestSchema, openRequestSchema } from './session/human-request.ts';
export type { HumanAnswer, HumanRequest, OpenRequest, ResolvedHumanAnswer } from './session/human-request.ts';
export {
  requestRecordSchema,
  requestStateSchema,
  settledStateSchema,
  withdrawalSchema,
} from './session/request-record.ts';
export type { RequestRecord, RequestState, SettledState, Withdrawal } from './session/request-record.ts';
export { memoryRequestStore } from './session/memory-request-store.ts';
export type { RequestFault, RequestFilter, RequestStore } from './session/request-store.ts';
export {
  deliverySchema,
  keptSpecSchema,
  sessionRecordSchema,
  turnRecordSchema,
  turnStepSchema,
} from './session/session-record.ts';
export type { Delivery, KeptSpec, SessionRecord, TurnRecord, TurnStep } from './session/session-record.ts';
export { DELIVERY_TABLE, settleDelivery } from './session/delivery.ts';
export type { DeliveryFacts, DeliveryVerdict, OpenDelivery, TranscriptFinding } from './session/delivery.ts';
export { memorySessionStore } from './session/memory-session-store.ts';
export type { SessionFault, SessionFilter, SessionStore, TurnFilter } from './session/session-store.ts';
export { encodeKey, keySchema } from './session/keys.ts';
export type { Key } from './session/keys.ts';
export type {
  CallOptions,
  SessionEventName,
  SessionEvents,
  SessionManager,
  TurnChange,
  Unsubscribe,
} from './session/session-manager.ts';
export {
  PERSONA_TEMPLATE_VERSION,
  parsePersona,
  personaSchema,
  personaVersion,
  renderPersona,
  scopePatternFault,
} from './persona/persona.ts';
export type { Persona } from './persona/persona.ts';
export { scopeMatcher } from './persona/scope.ts';
export { attemptReasonSchema, attemptSchema, jobResultSchema, runLineSchema } from './job/run-line.ts';
export type { Attempt, AttemptReason, JobResult, RunLine } from './job/run-line.ts';
export { noticeSchema } from './notifier.ts';
export type { Notice, Notifier, RequestNotice } from './notifier.ts';
export { compileRules, requestRuleSchema } from './policy/request-rule.ts';
export type { RequestRule, RuleVerdict } from './policy/request-rule.ts';
export { openRequestDesk } from './policy/request-desk.ts';
export type {
  RequestAnswerers,
  RequestDesk,
  RequestDeskFault,
  RequestDeskOptions,
  RequestPolicy,
} from './policy/request-desk.ts';
export { createPoolManager } from './pool/pool-manager.ts';
export type {
  AcquireOptions,
  PoolEvents,
  PoolFault,
  PoolManager,
  PoolOptions,
  PoolRequest,
  PoolSize,
  PoolStrategy,
  PooledSession,
  PooledSessionInfo,
  SessionSource,
  SessionTemplate,
  SessionUse,
  WarmTarget,
} from './pool/pool-manager.ts';
export { poolKey } from './pool/pool-key.ts';
export type { PoolKeyExtra } from './pool/pool-key.ts';
export type { PoolCounts, PoolRow, PoolStatus, PoolTotals } from './pool/pool-status.ts';
export { memoryAdmission } from './pool/admission.ts';
export type { Admission, AdmissionRequest, AdmissionVerdict, MemoryAdmissionOptions } from './pool/admission.ts';
export { createOffice } from './office.ts';
export type { Office, OfficeOptions, OfficeStatus } from './office-port.ts';
export type { ExecuteOptions } from './job/job-desk.ts';
export type { JobEvents, OfficeFault } from './job/job-events.ts';
export type { JobWait } from './job/attempt-gate.ts';
export { agentProfileSchema, fixedCrew } from './crew/agent-profile.ts';
export type { AgentProfile, AgentService } from './crew/agent-profile.ts';
export type { JobService, WorktreeRequest, WorktreeService } from './crew/job-service.ts';
export type { WarmCounts } from './crew/warm-crew.ts';
export { DEFAULT_FAILURE_POLICY, SINGLE_ATTEMPT_POLICY } from './policy/failure-policy.ts';
export type { FailurePolicy, FailureRule } from './policy/failure-policy.ts';
export { createCircuitBreaker } from './policy/circuit-breaker.ts';
export type {
  BreakerEvents,
  BreakerState,
  BreakerVerdict,
  CircuitBreaker,
  CircuitBreakerOptions,
} from './policy/circuit-breaker.ts';
export type { Backoff } from './policy/backoff.ts';
export { jobSpecSchema } from './job/job.ts';
export type { JobSpec, KeptJobSpec, ResolvedJobSpec } from './job/job.ts';
export { attemptRecordSchema, jobRecordSchema, jobChangeSchema, reopeningSchema } from './job/job-record.ts';
export type { AttemptRecord, JobChange, JobLease, JobRecord, JobState, Reopening } from './job/job-record.ts';
export { memoryJobStore } from './job/memory-job-store.ts';
export type { ClaimRequest, JobFilter, JobStore, LeaseRef, LeaseRequest } from './job/job-store.ts';
export { milestoneKindSchema, milestonePatternSchema, milestoneSchema } from './monitor/milestone.ts';
export type { Milestone, MilestoneKind, MilestonePattern } from './monitor/milestone.ts';
export { remoteSessions } from './command/remote-sessions.ts';
export type { RemoteSessionsOptions } from './command/remote-sessions.ts';
export { serveSessions } from './command/serve-sessions.ts';
export type { ServeSessionsOptions, ServedSessions } from './command/serve-sessions.ts';

// For authors of adapters
export { systemClock } from './clock.ts';
export type { Cancel, Clock } from './clock.ts';
export type { LogFields, Logger } from './logger.ts';
export { redacted, redactedText } from './policy/redaction.ts';
export { parseEdge } from './parse-edge.ts';
export { clockSchema, functionSchema, portSchema, signalSchema } from './port-schema.ts';
export { checkOfficeOptions, officeOptionsSchema } from './office-options.ts';
export { EventHub } from './event-hub.ts';
export type { EventHubOptions } from './event-hub.ts';
export { withoutSecrets } from './policy/redaction.ts';
export { canonicalJson } from './canonical-json.ts';
export { textStart } from './text-start.ts';
export { byAge, matchesFilter } from './session/request-store.ts';
export { bySessionAge, byTurnAge, matchesSessionFilter, matchesTurnFilter } from './session/session-store.ts';
export { settledTurn } from './session/delivery.ts';
export { advancedTurn, keptSpec } from './session/session-record.ts';
export { givenRecord, isSettledBefore, settledRecord } from './session/request-record.ts';
export {
  DEFAULT_JOB_LIMIT,
  byClaim,
  bySubmission,
  cancelledJob,
  changedJob,
  claimedJob,
  endedAttempts,
  endingSchema,
  isClaimable,
  isOverdue,
  isEndedBefore,
  jobFilterSchema,
  claimRequestSchema,
  leaseRequestSchema,
  lostLease,
  matchesJobFilter,
  newJobRecord,
  renewedJob,
  reopenedJob,
  reportedJob,
  samePutAgain,
  unknownJob,
} from './job/job-transition.ts';
export { keptJobSpecSchema } from './job/job.ts';
export { answererSchema } from './session/human-request.ts';
export { checkPrompt } from './session/prompt.ts';
export { personaPlacementSchema } from './persona/persona-injector.ts';
export type { PersonaInjector, PersonaPlacement, PersonaTarget } from './persona/persona-injector.ts';
export { DECIDERS, deciderSchema, evidenceSchema, turnErrorSchema } from './monitor/evidence.ts';
export type { Decider, Evidence, TurnError } from './monitor/evidence.ts';
export { addUsage, turnUsageSchema } from './monitor/usage.ts';
export type { TurnUsage } from './monitor/usage.ts';
export type { LinePattern } from './monitor/milestone.ts';
export type { Words } from './monitor/spoken-words.ts';
export { WordsReader } from './monitor/words-reader.ts';
export type { Finding } from './monitor/words-reader.ts';
export { nextTickAt, observe } from './monitor/output-monitor.ts';
export { beginTurn } from './monitor/monitor-state.ts';
export type { MonitorConfig, MonitorState } from './monitor/monitor-state.ts';
export { DONE_MARKER, turnError } from './monitor/verdict.ts';
export {
  commandBodySchema,
  commandResultSchema,
  commandSchema,
  errorFromWire,
  errorToWire,
  laneOf,
  wireErrorSchema,
} from './command/command.ts';
export type { Command, CommandBody, CommandResult, Lane, ParsedCommandBody, WireError } from './command/command.ts';
export { TurnLanes } from './command/turn-lanes.ts';
export { base64ToBytes, bytesToBase64, eventFromWire, eventToWire, wireEventSchema } from './command/wire-event.ts';
export type { WireEvent } from './command/wire-event.ts';
export { isLossNoticed } from './command/transport.ts';
export type { HostLink, LinkStatus, OfficeLink } from './command/transport.ts';
export {
  commandAnswerSchemas,
  outputSliceFromWire,
  outputSliceToWire,
  wireOutputSliceSchema,
} from './command/wire-result.ts';
export type { CommandAnswer, WireOutputSlice } from './command/wire-result.ts';
