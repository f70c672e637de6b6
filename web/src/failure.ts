import type { Problem, SearchProblem } from './api';

// Failure is what every request that did not succeed throws. Without a problem the
// server was not reached or answered something that is no problem document.
export class Failure extends Error {
  readonly problem: Problem | undefined;

  constructor(problem: Problem | undefined, cause?: unknown) {
    super(problem?.detail ?? problem?.title ?? 'unreachable', { cause });
    this.name = 'Failure';
    this.problem = problem;
  }

  get code(): Problem['code'] | 'unreachable' {
    return this.problem?.code ?? 'unreachable';
  }
}

// queryProblem returns the place and the proposal if the query was not understood.
export function queryProblem(error: unknown): SearchProblem | undefined {
  if (error instanceof Failure && error.code === 'query') {
    return error.problem as SearchProblem;
  }
  return undefined;
}

export function hasCode(error: unknown, code: Failure['code']): boolean {
  return error instanceof Failure && error.code === code;
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && typeof (value as Problem).code === 'string';
}

// wrongFields returns the members of the request body that the server finds wrong,
// such as name or mailbox.host.
export function wrongFields(error: unknown): string[] {
  if (!(error instanceof Failure) || error.code !== 'invalid') {
    return [];
  }
  return (error.problem?.errors ?? []).flatMap(({ location }) => (location?.startsWith('body.') ? [location.slice('body.'.length)] : []));
}

type Answer<T> = { data?: T; error?: unknown; response?: Response };

// ask carries out a call of the generated client and returns its data or throws a
// Failure.
export async function ask<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') {
      throw cause;
    }
    throw new Failure(undefined, cause);
  }
  if (!answer.response?.ok) {
    if (answer.error instanceof DOMException && answer.error.name === 'AbortError') {
      throw answer.error;
    }
    throw new Failure(isProblem(answer.error) ? answer.error : undefined, answer.error);
  }
  return answer.data as T;
}
