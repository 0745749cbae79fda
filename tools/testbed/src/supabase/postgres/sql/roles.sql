-- The roles of a Supabase project. `supabase_admin` is the superuser that makes them; `postgres`, which applies
-- migrations, is none, so that SQL which needs a superuser fails here as it does on a hosted project.
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit;
grant anon, authenticated, service_role to authenticator;

create role postgres login createdb createrole replication bypassrls;
grant anon, authenticated, service_role, authenticator to postgres with admin option;
grant pg_read_all_data, pg_signal_backend, pg_monitor to postgres;

-- Whom the Realtime server connects as.
create role supabase_realtime_admin login noinherit createrole replication;
grant anon, authenticated, service_role to supabase_realtime_admin;
grant supabase_realtime_admin to postgres;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';

alter database postgres owner to postgres;
alter database postgres set search_path = "$user", public, extensions;
grant create on database postgres to supabase_realtime_admin;

-- New tables in public are exposed to nobody: every grant has to be written down.
alter schema public owner to postgres;
revoke all on schema public from public;
grant usage on schema public to anon, authenticated, service_role;
grant usage, create on schema public to supabase_realtime_admin;

create schema extensions;
grant usage on schema extensions to anon, authenticated, service_role, supabase_realtime_admin;
grant all on schema extensions to postgres;
create extension pgcrypto schema extensions;
create extension "uuid-ossp" schema extensions;
