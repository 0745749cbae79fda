/* oxlint-disable max-lines -- Generated from the catalogue of a database with our migrations: `npx vitest run
   packages/transport-supabase -u` writes it anew, and the tests fail while it differs. In the shape of `supabase gen types`. */

/** Any JSON value, as supabase-js has it. */
export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

/** What our migrations make, for `createClient<Database>()` of supabase-js. */
export type Database = {
  public: {
    Tables: {
      agent_command_results: {
        Row: {
          command_id: string;
          created_at: string;
          error: Json | null;
          host_id: string | null;
          late: boolean;
          office_id: string;
          result: Json | null;
          session_id: string | null;
          success: boolean;
        };
        Insert: {
          command_id: string;
          created_at?: string;
          error?: Json | null;
          host_id?: string | null;
          late?: boolean;
          office_id: string;
          result?: Json | null;
          session_id?: string | null;
          success: boolean;
        };
        Update: {
          command_id?: string;
          created_at?: string;
          error?: Json | null;
          host_id?: string | null;
          late?: boolean;
          office_id?: string;
          result?: Json | null;
          session_id?: string | null;
          success?: boolean;
        };
        Relationships: [
          {
            foreignKeyName: 'agent_command_results_office_id_command_id_fkey';
            columns: ['office_id', 'command_id'];
            isOneToOne: true;
            referencedRelation: 'agent_commands';
            referencedColumns: ['office_id', 'command_id'];
          },
        ];
      };
      agent_commands: {
        Row: {
          attempts: number;
          command_id: string;
          ended_at: string | null;
          enqueued_at: string;
          expires_at: string;
          host_id: string;
          kind: string;
          lane: string;
          lane_key: string;
          last_error: Json | null;
          lease_epoch: number | null;
          lease_expires_at: string | null;
          lease_token: string | null;
          max_attempts: number;
          office_id: string;
          payload: Json | null;
          requeued: number;
          seq: number;
          session_id: string | null;
          status: string;
        };
        Insert: {
          attempts?: number;
          command_id: string;
          ended_at?: string | null;
          enqueued_at?: string;
          expires_at: string;
          host_id: string;
          kind: string;
          lane: string;
          lane_key?: never;
          last_error?: Json | null;
          lease_epoch?: number | null;
          lease_expires_at?: string | null;
          lease_token?: string | null;
          max_attempts?: number;
          office_id: string;
          payload?: Json | null;
          requeued?: number;
          seq: number;
          session_id?: string | null;
          status?: string;
        };
        Update: {
          attempts?: number;
          command_id?: string;
          ended_at?: string | null;
          enqueued_at?: string;
          expires_at?: string;
          host_id?: string;
          kind?: string;
          lane?: string;
          lane_key?: never;
          last_error?: Json | null;
          lease_epoch?: number | null;
          lease_expires_at?: string | null;
          lease_token?: string | null;
          max_attempts?: number;
          office_id?: string;
          payload?: Json | null;
          requeued?: number;
          seq?: number;
          session_id?: string | null;
          status?: string;
        };
        Relationships: [];
      };
      agent_jobs: {
        Row: {
          agent_id: string | null;
          attempts: Json;
          cancel_requested: boolean;
          deadline_at: string | null;
          ended_at: string | null;
          endings: number;
          fence: number;
          job_id: string;
          lease_expires_at: string | null;
          lease_owner: string | null;
          office_id: string;
          percent: number | null;
          priority: number;
          reopened: string | null;
          reported: boolean;
          result: Json | null;
          running_since: string | null;
          spec: Json;
          state: string;
          submitted_at: string;
        };
        Insert: {
          agent_id?: string | null;
          attempts?: Json;
          cancel_requested?: boolean;
          deadline_at?: string | null;
          ended_at?: string | null;
          endings?: number;
          fence?: number;
          job_id: string;
          lease_expires_at?: string | null;
          lease_owner?: string | null;
          office_id: string;
          percent?: number | null;
          priority: number;
          reopened?: string | null;
          reported?: boolean;
          result?: Json | null;
          running_since?: string | null;
          spec: Json;
          state?: string;
          submitted_at: string;
        };
        Update: {
          agent_id?: string | null;
          attempts?: Json;
          cancel_requested?: boolean;
          deadline_at?: string | null;
          ended_at?: string | null;
          endings?: number;
          fence?: number;
          job_id?: string;
          lease_expires_at?: string | null;
          lease_owner?: string | null;
          office_id?: string;
          percent?: number | null;
          priority?: number;
          reopened?: string | null;
          reported?: boolean;
          result?: Json | null;
          running_since?: string | null;
          spec?: Json;
          state?: string;
          submitted_at?: string;
        };
        Relationships: [];
      };
      agent_requests: {
        Row: {
          asked_ms: number;
          conversation_id: string | null;
          host_epoch: number;
          host_id: string;
          kind: string;
          office_id: string;
          record: Json;
          request_id: string;
          session_id: string;
          settled_ms: number | null;
          state: string;
          turn_id: string;
          updated_at: string;
          version: number;
        };
        Insert: {
          asked_ms: number;
          conversation_id?: string | null;
          host_epoch: number;
          host_id: string;
          kind: string;
          office_id: string;
          record: Json;
          request_id: string;
          session_id: string;
          settled_ms?: number | null;
          state: string;
          turn_id: string;
          updated_at?: string;
          version?: number;
        };
        Update: {
          asked_ms?: number;
          conversation_id?: string | null;
          host_epoch?: number;
          host_id?: string;
          kind?: string;
          office_id?: string;
          record?: Json;
          request_id?: string;
          session_id?: string;
          settled_ms?: number | null;
          state?: string;
          turn_id?: string;
          updated_at?: string;
          version?: number;
        };
        Relationships: [];
      };
      agent_sessions: {
        Row: {
          conversation_id: string | null;
          created_ms: number | null;
          ended_at: string | null;
          ended_ms: number | null;
          given_up_at: string | null;
          host_epoch: number | null;
          host_id: string;
          host_lost_at: string | null;
          info: Json | null;
          last_seq: number;
          left_behind: boolean;
          office_id: string;
          placed_at: string;
          record: Json | null;
          record_host: string | null;
          session_id: string;
          status: string;
          unplaced: boolean;
          updated_at: string;
          version: number;
        };
        Insert: {
          conversation_id?: string | null;
          created_ms?: number | null;
          ended_at?: string | null;
          ended_ms?: number | null;
          given_up_at?: string | null;
          host_epoch?: number | null;
          host_id: string;
          host_lost_at?: string | null;
          info?: Json | null;
          last_seq?: number;
          left_behind?: boolean;
          office_id: string;
          placed_at?: string;
          record?: Json | null;
          record_host?: string | null;
          session_id: string;
          status?: string;
          unplaced?: boolean;
          updated_at?: string;
          version?: number;
        };
        Update: {
          conversation_id?: string | null;
          created_ms?: number | null;
          ended_at?: string | null;
          ended_ms?: number | null;
          given_up_at?: string | null;
          host_epoch?: number | null;
          host_id?: string;
          host_lost_at?: string | null;
          info?: Json | null;
          last_seq?: number;
          left_behind?: boolean;
          office_id?: string;
          placed_at?: string;
          record?: Json | null;
          record_host?: string | null;
          session_id?: string;
          status?: string;
          unplaced?: boolean;
          updated_at?: string;
          version?: number;
        };
        Relationships: [];
      };
      agent_turns: {
        Row: {
          delivery: string | null;
          ended_ms: number | null;
          host_epoch: number;
          host_id: string;
          info: Json | null;
          intent_ms: number | null;
          office_id: string;
          outcome: string | null;
          record: Json | null;
          session_id: string;
          state: string | null;
          turn_id: string;
          updated_at: string;
          version: number;
        };
        Insert: {
          delivery?: string | null;
          ended_ms?: number | null;
          host_epoch: number;
          host_id: string;
          info?: Json | null;
          intent_ms?: number | null;
          office_id: string;
          outcome?: string | null;
          record?: Json | null;
          session_id: string;
          state?: string | null;
          turn_id: string;
          updated_at?: string;
          version?: number;
        };
        Update: {
          delivery?: string | null;
          ended_ms?: number | null;
          host_epoch?: number;
          host_id?: string;
          info?: Json | null;
          intent_ms?: number | null;
          office_id?: string;
          outcome?: string | null;
          record?: Json | null;
          session_id?: string;
          state?: string | null;
          turn_id?: string;
          updated_at?: string;
          version?: number;
        };
        Relationships: [];
      };
      session_hosts: {
        Row: {
          agents: Json;
          capacity: number;
          draining: boolean;
          draining_by_host: boolean;
          draining_by_office: boolean;
          epoch: number;
          heartbeat_at: string;
          host_id: string;
          info: Json;
          instance: string | null;
          labels: string[];
          lease_expires_at: string;
          office_id: string;
          protocol: number;
          registered_at: string;
          state: string;
        };
        Insert: {
          agents?: Json;
          capacity: number;
          draining?: never;
          draining_by_host?: boolean;
          draining_by_office?: boolean;
          epoch?: number;
          heartbeat_at?: string;
          host_id: string;
          info?: Json;
          instance?: string | null;
          labels?: string[];
          lease_expires_at: string;
          office_id: string;
          protocol: number;
          registered_at?: string;
          state?: string;
        };
        Update: {
          agents?: Json;
          capacity?: number;
          draining?: never;
          draining_by_host?: boolean;
          draining_by_office?: boolean;
          epoch?: number;
          heartbeat_at?: string;
          host_id?: string;
          info?: Json;
          instance?: string | null;
          labels?: string[];
          lease_expires_at?: string;
          office_id?: string;
          protocol?: number;
          registered_at?: string;
          state?: string;
        };
        Relationships: [];
      };
    };
    Views: { [_ in never]: never };
    Functions: {
      semo_advance_turn: {
        Args: {
          p_epoch: number;
          p_host_id: string;
          p_office_id: string;
          p_session_id: string;
          p_step: Json;
          p_turn_id: string;
        };
        Returns: boolean;
      };
      semo_cancel_job: {
        Args: {
          p_job_id: string;
          p_office_id: string;
        };
        Returns: Json;
      };
      semo_change_job: {
        Args: {
          p_change: Json;
          p_fence: number;
          p_job_id: string;
          p_office_id: string;
          p_owner: string;
        };
        Returns: Json;
      };
      semo_claim_commands: {
        Args: {
          p_epoch: number;
          p_held?: string[];
          p_host_id: string;
          p_lease_ms?: number;
          p_limit?: number;
          p_office_id: string;
        };
        Returns: {
          attempts: number;
          command_id: string;
          kind: string;
          lane: string;
          lease_expires_at: string;
          lease_token: string;
          payload: Json;
          prior_epoch: number;
          requeued: number;
          seq: number;
          session_id: string;
          turn_delivery: string;
        }[];
      };
      semo_claim_job: {
        Args: {
          p_lease_ms: number;
          p_office_id: string;
          p_overdue?: boolean;
          p_owner: string;
        };
        Returns: Json;
      };
      semo_complete_command: {
        Args: {
          p_command_id: string;
          p_epoch: number;
          p_host_id: string;
          p_lease_token: string;
          p_office_id: string;
          p_result: Json;
        };
        Returns: boolean;
      };
      semo_dead_commands: {
        Args: {
          p_after_at?: string;
          p_after_id?: string;
          p_limit?: number;
          p_newest_first?: boolean;
          p_office_id: string;
        };
        Returns: {
          attempts: number;
          command_id: string;
          ended_at: string;
          host_id: string;
          kind: string;
          last_error: Json;
          session_id: string;
        }[];
      };
      semo_drain_host: {
        Args: {
          p_by_host?: boolean;
          p_draining?: boolean;
          p_host_id: string;
          p_office_id: string;
        };
        Returns: undefined;
      };
      semo_ended_turn: {
        Args: {
          p_office_id: string;
          p_session_id: string;
          p_turn_id: string;
        };
        Returns: Json;
      };
      semo_enqueue_command: {
        Args: {
          p_command_id: string;
          p_expires_ms?: number;
          p_host_id?: string;
          p_kind: string;
          p_labels?: string[];
          p_office_id: string;
          p_payload: Json;
          p_protocol?: number;
          p_session_id?: string;
        };
        Returns: {
          command_id: string;
          host_id: string;
          seq: number;
          session_id: string;
          status: string;
        }[];
      };
      semo_event_heads: {
        Args: {
          p_office_id: string;
        };
        Returns: {
          epoch: number;
          host_id: string;
          seq: number;
        }[];
      };
      semo_fail_command: {
        Args: {
          p_command_id: string;
          p_epoch: number;
          p_error: Json;
          p_host_id: string;
          p_lease_token: string;
          p_office_id: string;
        };
        Returns: boolean;
      };
      semo_forget_turn: {
        Args: {
          p_epoch: number;
          p_host_id: string;
          p_office_id: string;
          p_session_id: string;
          p_turn_id: string;
        };
        Returns: undefined;
      };
      semo_get_command: {
        Args: {
          p_command_id: string;
          p_office_id: string;
        };
        Returns: {
          attempts: number;
          command_id: string;
          error: Json;
          host_id: string;
          kind: string;
          late: boolean;
          result: Json;
          seq: number;
          session_id: string;
          status: string;
          success: boolean;
        }[];
      };
      semo_get_job: {
        Args: {
          p_job_id: string;
          p_office_id: string;
        };
        Returns: Json;
      };
      semo_give_request: {
        Args: {
          p_epoch: number;
          p_given_at: number;
          p_host_id: string;
          p_office_id: string;
          p_request_id: string;
        };
        Returns: boolean;
      };
      semo_heartbeat_host: {
        Args: {
          p_commands?: string[];
          p_epoch: number;
          p_host_id: string;
          p_lease_ms?: number;
          p_office_id: string;
        };
        Returns: {
          draining: boolean;
          lease_expires_at: string;
          lost_commands: string[];
        }[];
      };
      semo_list_jobs: {
        Args: {
          p_agent_id?: string;
          p_limit?: number;
          p_office_id: string;
          p_reported?: boolean;
          p_states?: string[];
        };
        Returns: Json;
      };
      semo_mark_job_reported: {
        Args: {
          p_ending: number;
          p_job_id: string;
          p_office_id: string;
        };
        Returns: undefined;
      };
      semo_prune: {
        Args: {
          p_limit?: number;
          p_office_id: string;
          p_older_than_ms?: number;
          p_pause_ms?: number;
        };
        Returns: number;
      };
      semo_prune_jobs: {
        Args: {
          p_ended_before: number;
          p_limit?: number;
          p_office_id: string;
        };
        Returns: number;
      };
      semo_prune_requests: {
        Args: {
          p_epoch: number;
          p_host_id: string;
          p_office_id: string;
          p_settled_before: number;
        };
        Returns: number;
      };
      semo_prune_sessions: {
        Args: {
          p_ended_before: number;
          p_epoch: number;
          p_host_id: string;
          p_office_id: string;
        };
        Returns: number;
      };
      semo_publish_events: {
        Args: {
          p_dropped_bytes?: number;
          p_epoch: number;
          p_events: Json;
          p_host_id: string;
          p_infos?: Json;
          p_keep_ms?: number;
          p_office_id: string;
          p_seq: number;
        };
        Returns: undefined;
      };
      semo_put_job: {
        Args: {
          p_lease_ms?: number;
          p_office_id: string;
          p_owner?: string;
          p_spec: Json;
        };
        Returns: Json;
      };
      semo_put_request: {
        Args: {
          p_epoch: number;
          p_host_id: string;
          p_office_id: string;
          p_record: Json;
        };
        Returns: undefined;
      };
      semo_put_session: {
        Args: {
          p_epoch: number;
          p_host_id: string;
          p_office_id: string;
          p_record: Json;
        };
        Returns: undefined;
      };
      semo_put_turn: {
        Args: {
          p_epoch: number;
          p_host_id: string;
          p_office_id: string;
          p_record: Json;
        };
        Returns: undefined;
      };
      semo_read_events: {
        Args: {
          p_after?: Json;
          p_limit?: number;
          p_max_bytes?: number;
          p_office_id: string;
        };
        Returns: {
          dropped_bytes: number;
          epoch: number;
          events: Json;
          host_id: string;
          more: boolean;
          seq: number;
        }[];
      };
      semo_read_results: {
        Args: {
          p_command_ids: string[];
          p_office_id: string;
        };
        Returns: {
          command_id: string;
          error: Json;
          late: boolean;
          result: Json;
          status: string;
          success: boolean;
        }[];
      };
      semo_register_host: {
        Args: {
          p_agents?: Json;
          p_capacity: number;
          p_draining?: boolean;
          p_host_id: string;
          p_info?: Json;
          p_instance?: string;
          p_labels?: string[];
          p_lease_ms?: number;
          p_office_id: string;
          p_protocol: number;
          p_sessions?: string[];
        };
        Returns: {
          epoch: number;
          lease_expires_at: string;
          left_behind: string[];
        }[];
      };
      semo_renew_job: {
        Args: {
          p_fence: number;
          p_job_id: string;
          p_lease_ms: number;
          p_office_id: string;
          p_owner: string;
        };
        Returns: Json;
      };
      semo_reopen_job: {
        Args: {
          p_how: string;
          p_job_id: string;
          p_office_id: string;
        };
        Returns: Json;
      };
      semo_report_session: {
        Args: {
          p_epoch: number;
          p_host_id: string;
          p_info: Json;
          p_office_id: string;
        };
        Returns: undefined;
      };
      semo_report_turn: {
        Args: {
          p_epoch: number;
          p_host_id: string;
          p_office_id: string;
          p_turn: Json;
        };
        Returns: undefined;
      };
      semo_requeue_command: {
        Args: {
          p_command_id: string;
          p_expires_ms?: number;
          p_office_id: string;
        };
        Returns: undefined;
      };
      semo_settle_request: {
        Args: {
          p_epoch: number;
          p_host_id: string;
          p_office_id: string;
          p_request_id: string;
          p_state: Json;
        };
        Returns: boolean;
      };
      semo_sign_off_host: {
        Args: {
          p_epoch: number;
          p_host_id: string;
          p_office_id: string;
        };
        Returns: undefined;
      };
      semo_sweep: {
        Args: {
          p_forget_ms?: number;
          p_grace_ms?: number;
          p_keep_ms?: number;
          p_limit?: number;
          p_office_id: string;
          p_pause_ms?: number;
        };
        Returns: {
          ended_commands: number;
          given_up_sessions: string[];
          lost_hosts: string[];
        }[];
      };
      semo_withdraw_command: {
        Args: {
          p_command_id: string;
          p_office_id: string;
        };
        Returns: boolean;
      };
    };
    Enums: { [_ in never]: never };
    CompositeTypes: { [_ in never]: never };
  };
};
