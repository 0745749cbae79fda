/** The tables that the API shows. */
export const TABLES = [
  'agent_command_results',
  'agent_commands',
  'agent_jobs',
  'agent_requests',
  'agent_sessions',
  'agent_turns',
  'session_hosts',
];

/** What an office may call. */
export const OFFICE_FUNCTIONS = [
  'semo_cancel_job',
  'semo_change_job',
  'semo_claim_job',
  'semo_dead_commands',
  'semo_ended_turn',
  'semo_enqueue_command',
  'semo_event_heads',
  'semo_get_command',
  'semo_get_job',
  'semo_list_jobs',
  'semo_mark_job_reported',
  'semo_prune',
  'semo_prune_jobs',
  'semo_put_job',
  'semo_read_events',
  'semo_read_results',
  'semo_renew_job',
  'semo_reopen_job',
  'semo_requeue_command',
  'semo_sweep',
  'semo_withdraw_command',
];

/** What a host may call. */
export const HOST_FUNCTIONS = [
  'semo_advance_turn',
  'semo_claim_commands',
  'semo_complete_command',
  'semo_fail_command',
  'semo_forget_turn',
  'semo_give_request',
  'semo_heartbeat_host',
  'semo_prune_requests',
  'semo_prune_sessions',
  'semo_publish_events',
  'semo_put_request',
  'semo_put_session',
  'semo_put_turn',
  'semo_register_host',
  'semo_report_session',
  'semo_report_turn',
  'semo_settle_request',
  'semo_sign_off_host',
];

/** Of a host by itself, and of the office for any of its hosts. */
export const SHARED_FUNCTIONS = ['semo_drain_host'];

/** All of them. */
export const FUNCTIONS = [...OFFICE_FUNCTIONS, ...HOST_FUNCTIONS, ...SHARED_FUNCTIONS];
