import { afterAll, afterEach, beforeAll } from 'vitest';

import { startProject, type OfficeOfProject, type Project } from './project.ts';

/** What the tests of a file work with. */
export interface ProjectStage {
  /** There from the first test on. */
  readonly project: Project;
  /** An office that is closed when its test is over. */
  readonly begin: Project['office'];
}

/** Starts a project for the tests of a file, and ends it after them. */
export function projectStage(): ProjectStage {
  let started: Project | null = null;
  const offices: OfficeOfProject[] = [];
  const project = (): Project => {
    if (started === null) throw new Error('The project starts before the first test.');
    return started;
  };
  beforeAll(async () => {
    started = await startProject();
  });
  afterEach(() => Promise.all(offices.splice(0).map((office) => office.close())));
  afterAll(() => started?.[Symbol.asyncDispose]());
  return {
    get project() {
      return project();
    },
    begin(settings) {
      const office = project().office(settings);
      offices.push(office);
      return office;
    },
  };
}
