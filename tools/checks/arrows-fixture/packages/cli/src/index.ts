import '@semo-office/pty-host';
import './supabase/host.ts';
export const command = 1;
