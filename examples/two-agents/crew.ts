import type { Persona } from 'semo-office';

/** One agent of the demo: who it is, and what it is asked to do. */
export interface CrewMember {
  readonly persona: Persona;
  readonly branch: string;
  readonly prompt: string;
}

export const CREW: readonly CrewMember[] = [
  {
    persona: {
      name: 'Mina',
      role: 'FE',
      prompt: 'You build the page. Small steps, plain HTML, no frameworks. Run what you wrote before you commit it.',
      scopePatterns: ['web/**'],
      coreSkills: ['HTML', 'accessibility'],
    },
    branch: 'agent/fe-greeting-page',
    prompt:
      'Write web/index.html, a page that greets "semo" in an <h1>. Check with grep that the greeting is there, then commit.',
  },
  {
    persona: {
      name: 'Joon',
      role: 'BE',
      prompt: 'You build the service. Small steps, plain Node.js, no dependencies. Run the tests before you commit.',
      scopePatterns: ['api/**'],
      coreSkills: ['HTTP', 'testing'],
    },
    branch: 'agent/be-greeting-api',
    prompt:
      'Write api/greet.js, a module with greet(name), and api/greet.test.js that tests it with node:test. Run the tests, then commit.',
  },
];
