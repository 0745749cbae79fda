import { describeContract } from './contract.ts';

describeContract('scripted sessions, without Realtime', { realtime: false });
