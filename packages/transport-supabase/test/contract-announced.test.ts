import { describeContract } from './contract.ts';

describeContract('scripted sessions, by announcements', { realtime: true });
