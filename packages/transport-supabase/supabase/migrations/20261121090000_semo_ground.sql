-- What everything else stands on: a schema nobody can reach over the API, the one clock, who calls, and how a call is refused.
--
-- Whoever calls is one of these:
--   service_role    the office's server, with the secret key. It may act for every office, and for every host.
--   authenticated   with claims in app_metadata, which a user cannot change himself:
--                     { "semo": { "role": "office", "office_id": "…" } }                   a program or person of one office
--                     { "semo": { "role": "host",   "office_id": "…", "host_id": "…" } }   one host of one office
-- Everybody else may do nothing at all.

-- The API exposes `public`, never this schema.
create schema semo;
revoke all on schema semo from public;

-- Every time that is written or compared here is the server's own and comes from this function, so that no machine's wrong
-- clock decides about a lease. In whole milliseconds, as the library counts, so that sums agree on both sides.
-- Functions that are called for each row are in PL/pgSQL: it is several times faster where nothing can be inlined.
create function semo.now() returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return date_trunc('milliseconds', pg_catalog.now());
end
$$;

create function semo.after_ms(p_ms bigint) returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return semo.now() + p_ms * interval '1 millisecond';
end
$$;

-- Epoch milliseconds, as they stand in the library's records.
create function semo.to_ms(p_at timestamptz) returns bigint
language sql immutable set search_path = '' as $$
  select (extract(epoch from p_at) * 1000)::bigint
$$;

-- Ids become file names, branch names and parts of a topic, so they hold nothing that any of these could misread. The length
-- stands apart: as `{0,63}` in the expression it costs ten times as much.
create function semo.is_id(p_id text) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return length(p_id) <= 64 and p_id collate "C" ~ '^[A-Za-z0-9][A-Za-z0-9_-]*$';
end
$$;

-- Refuses a call. The hint is the code of the library's own error, the details are its facts as JSON.
create function semo.refuse(p_code text, p_message text, p_details jsonb default '{}') returns void
language plpgsql set search_path = '' as $$
begin
  raise exception using errcode = 'P0001', message = p_message, hint = p_code, detail = p_details::text;
end
$$;

-- An error in the shape in which it travels to an office.
create function semo.wire_error(p_code text, p_class text, p_message text, p_retryable boolean) returns jsonb
language sql immutable set search_path = '' as $$
  select jsonb_build_object(
    'code', p_code, 'class', p_class, 'message', p_message, 'retryable', p_retryable, 'details', '{}'::jsonb
  )
$$;

-- The role that the API has checked, not the one a claim tells. It is set by SET ROLE and stays what it is in functions that
-- run as their owner; a direct connection (psql, pg_cron) has none and is judged by who logged in.
create function semo.is_service() returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return pg_has_role(
    coalesce(nullif(current_setting('role', true), 'none'), session_user::text)::name, 'service_role', 'usage'
  );
end
$$;

-- What the token says of whoever calls; null: nothing.
create function semo.claims() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return auth.jwt() #> '{app_metadata,semo}';
end
$$;

-- Lets only the office itself pass.
create function semo.check_office(p_office_id text) returns void
language plpgsql stable set search_path = '' as $$
declare
  claims jsonb;
begin
  if semo.is_service() then return; end if;
  claims := semo.claims();
  if claims ->> 'role' = 'office' and claims ->> 'office_id' = p_office_id then return; end if;
  raise exception using errcode = '42501', message = 'This token may not act for the office.', hint = 'not_permitted';
end
$$;

-- Lets only that host pass.
create function semo.check_host(p_office_id text, p_host_id text) returns void
language plpgsql stable set search_path = '' as $$
declare
  claims jsonb;
begin
  if semo.is_service() then return; end if;
  claims := semo.claims();
  if claims ->> 'role' = 'host' and claims ->> 'office_id' = p_office_id and claims ->> 'host_id' = p_host_id then
    return;
  end if;
  raise exception using errcode = '42501', message = 'This token may not act for the host.', hint = 'not_permitted';
end
$$;
