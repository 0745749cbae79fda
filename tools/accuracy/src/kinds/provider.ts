import { cutStream, failWith, say, type ModelStep } from '@semo-office/testbed';

import { bash, family } from '../kind.ts';
import { completes, fails } from '../truth.ts';

const work = bash('printf worked > work.txt');
const soon = { headers: { 'retry-after': '1' } };
const farAway = {
  headers: {
    'retry-after': '3600',
    'anthropic-ratelimit-unified-status': 'rejected',
    'anthropic-ratelimit-unified-reset': '4102444800',
    'anthropic-ratelimit-unified-representative-claim': 'five_hour',
  },
};

function recovers(name: string, ...trouble: readonly ModelStep[]) {
  const text = 'It went through in the end.';
  return { name, script: () => [work, ...trouble, say(text)], truth: completes(text, 2) };
}

/** What the model's API refuses or loses. */
export const providerKinds = family('provider', [
  recovers('overloaded once', failWith(529, 'overloaded_error', soon)),
  recovers('overloaded twice', failWith(529, 'overloaded_error', soon), failWith(529, 'overloaded_error', soon)),
  recovers('rate limited once', failWith(429, 'rate_limit_error', soon)),
  recovers('a server error once', failWith(500, 'api_error', soon)),
  recovers('the connection lost once', cutStream('connection')),
  recovers('the stream cut before its first word', cutStream('start')),
  {
    name: 'overloaded for good',
    script: () => () => failWith(529, 'overloaded_error', soon),
    truth: fails('overloaded'),
  },
  { name: 'a server error for good', script: () => () => failWith(500, 'api_error', soon), truth: fails('overloaded') },
  {
    name: 'rate limited for an hour',
    script: () => () => failWith(429, 'rate_limit_error', { headers: { 'retry-after': '3600' } }),
    truth: fails('rate_limit'),
  },
  {
    name: 'the quota used up, its reset far away',
    script: () => () => failWith(429, 'rate_limit_error', farAway),
    truth: fails('rate_limit'),
  },
  {
    name: 'overloaded after work was done',
    script: () => (request) => (request.body.messages.length < 3 ? work : failWith(529, 'overloaded_error', soon)),
    truth: fails('overloaded'),
  },
  { name: 'a key that is refused', script: () => () => failWith(401, 'authentication_error'), truth: fails('auth') },
  { name: 'a key that may not', script: () => () => failWith(403, 'permission_error'), truth: fails('auth') },
  {
    name: 'no credit left',
    script: () => () =>
      failWith(400, 'invalid_request_error', {
        message: 'Your credit balance is too low to access the Anthropic API.',
      }),
    truth: fails('auth'),
  },
  {
    name: 'a request that is refused',
    script: () => () => failWith(400, 'invalid_request_error'),
    truth: fails('invalid_request'),
  },
  {
    name: 'a model that does not exist',
    script: () => () => failWith(404, 'not_found_error'),
    truth: fails('invalid_request'),
  },
  {
    name: 'a prompt that is too long for the model',
    script: () => () =>
      failWith(400, 'invalid_request_error', { message: 'prompt is too long: 250000 tokens > 200000 maximum' }),
    truth: fails('invalid_request'),
  },
  { name: 'the connection lost for good', script: () => () => cutStream('connection'), truth: fails('overloaded') },
  {
    name: 'an answer that is too long',
    script: () => () => say('And so on and on', { stopReason: 'max_tokens' }),
    truth: fails('unknown'),
  },
  { name: 'a refusal', script: () => () => say('', { stopReason: 'refusal' }), truth: fails('invalid_request') },
]);
